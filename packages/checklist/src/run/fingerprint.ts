import { createHash } from 'node:crypto'
import type { Finding } from '@havn/plugin-api'

/**
 * What tells a finding from others, over moves and reformatting of its file: its rule, its resource, and the text that
 * it points at without white space. Without text, the file and the message stand for it.
 *
 * @param snippet the text at its place; null when it has none.
 * @returns 32 hexadecimal digits.
 */
export function fingerprint(finding: Finding, snippet: string | null): string {
  const what = snippet === null ? finding.message : snippet.replaceAll(/\s+/g, '')
  const parts = [finding.rule, finding.place?.file ?? '', finding.resource ?? '', what]
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32)
}
