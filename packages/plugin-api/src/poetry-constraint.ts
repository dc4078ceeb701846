/**
 * Writes one of Poetry's version constraints (`^3.10`, `~2.1`, `1.*`, `>=1,<2`, `*`) as a version specifier of PEP 440.
 *
 * @returns an empty string for any version, null when the constraint has no such form (`^1 || ^2`).
 */
export function toVersionSpecifier(constraint: string): string | null {
  const parts = constraint
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== '*')
  const specifiers = parts.map(toClauses)
  return specifiers.includes(null) ? null : specifiers.join(',')
}

function toClauses(part: string): string | null {
  const match = /^(\^|~=|~|===|==|=|!=|>=|<=|>|<)?\s*v?(\d[\w.!+-]*(?:\.\*)?)$/.exec(part)
  if (!match) return null
  const [, operator = '==', version = ''] = match
  if (operator === '^') return `>=${version},<${caretLimit(version)}`
  if (operator === '~') return `>=${version},<${tildeLimit(version)}`
  return `${operator === '=' ? '==' : operator}${version}`
}

/** The first version that breaks what the leftmost non-zero number promises. */
function caretLimit(version: string): string {
  const numbers = release(version)
  const kept = numbers.findIndex((number) => number !== 0)
  return raise(numbers, kept === -1 ? numbers.length - 1 : kept)
}

function tildeLimit(version: string): string {
  const numbers = release(version)
  return raise(numbers, Math.min(1, numbers.length - 1))
}

function release(version: string): number[] {
  return (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number)
}

function raise(numbers: number[], at: number): string {
  return [...numbers.slice(0, at), (numbers[at] ?? 0) + 1].join('.')
}
