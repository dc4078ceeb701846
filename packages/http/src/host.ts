const HOST = /^(?:[\w.~-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/** True for `name`, `name:port`, `[address]` or `[address]:port` as a Host header may hold (RFC 9112 §3.2). */
export function isHost(text: string): boolean {
  return text.length <= 261 && HOST.test(text)
}
