/** What would end a line, or could not be written as latin-1. */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/
const UNSAFE_PATH = /[^\x21-\x7e]/

/**
 * A request's head as text, to the empty line at its end.
 *
 * @param headers names, which were checked, and values in turn.
 */
export function formatRequestHead(method: string, path: string, headers: readonly string[]): string {
  assertWritable(path, headers)
  let head = `${method} ${path} HTTP/1.1\r\n`
  for (let n = 0; n < headers.length; n += 2) head += `${headers[n]}: ${headers[n + 1]!}\r\n`
  return head + '\r\n'
}

/** @throws TypeError for what no request can hold. */
export function assertWritable(path: string, headers: readonly string[]): void {
  if (UNSAFE_PATH.test(path))
    throw new TypeError('A path for an upstream has characters that no request can hold')
  for (let n = 0; n < headers.length; n += 2)
    if (UNSAFE.test(headers[n + 1]!))
      throw new TypeError(`The header ${headers[n]} for an upstream cannot be written`)
}
