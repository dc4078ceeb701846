/** A field's value in a list of names and values in turn, several lines of it joined by commas; null without it. */
export function fieldOf(headers: readonly string[], name: string): string | null {
  let value: string | null = null
  for (let n = 0; n < headers.length; n += 2) {
    const own = headers[n]!
    if (own.length !== name.length || own.toLowerCase() !== name) continue
    value = value === null ? headers[n + 1]! : `${value}, ${headers[n + 1]!}`
  }
  return value
}

/** The list less some fields, names in lower case. */
export function withoutFields(headers: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = []
  for (let n = 0; n < headers.length; n += 2)
    if (!names.has(headers[n]!.toLowerCase())) kept.push(headers[n]!, headers[n + 1]!)
  return kept
}
