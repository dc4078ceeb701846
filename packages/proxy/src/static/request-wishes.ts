/** What a plain request says of the answer's form. */
export interface RequestWishes {
  acceptEncoding: string
  ifNoneMatch: string
  /** It asks for parts, or has conditions that are weighed with care elsewhere. */
  isSpecial: boolean
}

/** Reads it from header names and values in turn. */
export function readWishes(headers: readonly string[]): RequestWishes {
  const wishes = { acceptEncoding: '', ifNoneMatch: '', isSpecial: false }
  for (let n = 0; n < headers.length; n += 2) {
    const name = headers[n]!
    // `Accept-Encoding`, `If-…`, `Range`: by the first letter most others are out at once.
    const first = name.charCodeAt(0) | 0x20
    if (first !== A && first !== I && first !== R) continue
    const lowerCased = name.toLowerCase()
    const value = headers[n + 1]!
    if (lowerCased === 'accept-encoding') wishes.acceptEncoding = join(wishes.acceptEncoding, value)
    else if (lowerCased === 'if-none-match') wishes.ifNoneMatch = join(wishes.ifNoneMatch, value)
    else if (lowerCased === 'range' || lowerCased.startsWith('if-')) wishes.isSpecial = true
  }
  return wishes
}

const A = 0x61
const I = 0x69
const R = 0x72

function join(list: string, item: string): string {
  return list === '' ? item : `${list}, ${item}`
}
