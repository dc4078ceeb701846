/** Longer ones are cut: a client may send as much as the listener takes, with every request. */
const MAX_LENGTH = 512

/** Headers of a request that a log has. */
export interface WishedHeaders {
  userAgent: string | undefined
  referer: string | undefined
}

/** Finds them in one pass, in any case, the first of each. */
export function wishedHeaders(headers: readonly string[]): WishedHeaders {
  const wished: WishedHeaders = { userAgent: undefined, referer: undefined }
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!
    if (name.length === 10 && wished.userAgent === undefined && name.toLowerCase() === 'user-agent')
      wished.userAgent = cut(headers[index + 1]!)
    else if (name.length === 7 && wished.referer === undefined && name.toLowerCase() === 'referer')
      wished.referer = cut(headers[index + 1]!)
  }
  return wished
}

/** A URL up to its query or fragment. */
export function withoutQuery(url: string | undefined): string | undefined {
  const end = url === undefined ? -1 : url.search(/[?#]/)
  return end === -1 ? url : url!.slice(0, end)
}

function cut(value: string): string {
  return value.length > MAX_LENGTH ? value.slice(0, MAX_LENGTH) : value
}
