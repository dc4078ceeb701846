/** What an access line says of a request that failed at its upstream: Node's own code, or that it was the upstream. */
export function errorCode({ code }: NodeJS.ErrnoException): string {
  return code ?? 'UPSTREAM'
}
