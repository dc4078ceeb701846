let dateSecond = 0
let date = ''

/** The Date header of now with its CRLF (RFC 9110 §6.6.1); the same string all through a second. */
export function dateLine(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    date = 'Date: ' + new Date(second * 1000).toUTCString() + '\r\n'
  }
  return date
}
