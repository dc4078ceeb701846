import type { JudgedFinding } from '../run/run-checks.ts'

/** A finding in one line: `settings.py:12: DEBUG is on. (django.debug-on)`. */
export function formatFindingLine({ place, message, rule }: JudgedFinding): string {
  const where = place === null ? '' : `${place.file}:${place.line}: `
  return `${where}${message.split('\n')[0]} (${rule})`
}
