/** RFC 9110 §9.2.2. */
const methods = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])

/** True for methods of which a second request changes nothing more. Others, known or not, may. */
export function isIdempotent(method: string): boolean {
  return methods.has(method)
}
