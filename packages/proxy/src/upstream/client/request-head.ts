/** What would end a line, or could not be written as latin-1. */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/
const UNSAFE_PATH = /[^\x21-\x7e]/

/**
 * A request's head as text, to the empty line at its end.
 *
 * @param headers names, which were checked, and values in turn.
 */
export function formatRequestHead(method: string, path: string, headers: readonly string[]): string {
  assertPath(path)
  let head = `${method} ${path} HTTP/1.1\r\n`
  for (let n = 0; n < headers.length; n += 2) {
    const value = headers[n + 1]!
    assertValue(headers[n]!, value)
    head += `${headers[n]}: ${value}\r\n`
  }
  return head + '\r\n'
}

/** @throws TypeError for what no request can hold. */
export function assertWritable(path: string, headers: readonly string[]): void {
  assertPath(path)
  for (let n = 0; n < headers.length; n += 2) assertValue(headers[n]!, headers[n + 1]!)
}

function assertPath(path: string): void {
  if (UNSAFE_PATH.test(path))
    throw new TypeError('A path for an upstream has characters that no request can hold')
}

function assertValue(name: string, value: string): void {
  if (UNSAFE.test(value)) throw new TypeError(`The header ${name} for an upstream cannot be written`)
}
