/**
 * Tests a version against a specifier of PEP 440 (`>=3.9,<4`, `~=3.10`, `==3.11.*`, `!=3.12.0`).
 * Compares release numbers; what follows them (`rc1`, `.post1`) is left out, and a clause that is none of these
 * is taken as met: the package manager has the last word.
 */
export function satisfies(version: string, specifier: string): boolean {
  return specifier
    .split(',')
    .map((clause) => clause.trim())
    .filter((clause) => clause !== '')
    .every((clause) => meets(release(version), clause))
}

function meets(version: number[], clause: string): boolean {
  const match = /^(~=|===|==|!=|<=|>=|<|>)\s*v?(\d+(?:\.\d+)*)(\.\*)?/.exec(clause)
  if (!match) return true
  const [, operator, text = '', wildcard] = match
  const wanted = release(text)
  const order = compare(wildcard ? version.slice(0, wanted.length) : version, wanted)
  switch (operator) {
    case '==':
    case '===':
      return order === 0
    case '!=':
      return order !== 0
    case '>=':
      return order >= 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '<':
      return order < 0
    default: // ~=3.10.2 is >=3.10.2, ==3.10.*
      return order >= 0 && compare(version.slice(0, wanted.length - 1), wanted.slice(0, -1)) === 0
  }
}

function release(version: string): number[] {
  return (/\d+(?:\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number)
}

function compare(a: number[], b: number[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
