import type { FindingReport } from '@havn/plugin-api'
import { isExample } from '../paths.ts'
import type { Scan } from '../scan/scan-fact.ts'
import type { SecretKind } from '../scan/scan-text.ts'

/** Reports what was found of one kind; in tests, docs and examples it is a note alone. */
export function reportHits(
  { hits }: Scan,
  kind: SecretKind,
  report: (finding: FindingReport) => void,
  describe: (name: string) => string = (name) => `${name} is here.`,
): void {
  for (const hit of hits) {
    if (hit.kind !== kind) continue
    report({
      message: describe(hit.name),
      place: hit.place,
      isSensitive: true,
      ...(isExample(hit.place.file) && { severity: 'info' as const }),
    })
  }
}
