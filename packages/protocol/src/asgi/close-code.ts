/** True for a close code that an endpoint may send (RFC 6455 §7.4): 1005, 1006 and 1015 are never on the wire. */
export function isCloseCode(code: unknown): code is number {
  if (!Number.isInteger(code)) return false
  const number = code as number
  if (number >= 3000 && number <= 4999) return true
  return number >= 1000 && number <= 1014 && number !== 1004 && number !== 1005 && number !== 1006
}
