import { z } from 'zod'
import { errors } from '../errors.ts'

const baselineSchema = z.object({
  schemaVersion: z.literal(1),
  /** How many findings had each fingerprint. */
  findings: z.record(z.string().regex(/^[0-9a-f]{32}$/), z.int().min(1)),
})

/** Findings that were there before the check was: so many of each fingerprint. */
export type Baseline = ReadonlyMap<string, number>

/**
 * Reads what {@link formatBaseline} wrote.
 *
 * @throws HAVN_ERR_CHECK_BASELINE
 */
export function parseBaseline(file: string, text: string): Baseline {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw errors.HAVN_ERR_CHECK_BASELINE({ file, problem: (error as Error).message })
  }
  const result = baselineSchema.safeParse(json)
  if (!result.success) throw errors.HAVN_ERR_CHECK_BASELINE({ file, problem: z.prettifyError(result.error) })
  return new Map(Object.entries(result.data.findings))
}

/** The baseline of these findings, as its file holds it: sorted, so that it merges well. */
export function formatBaseline(fingerprints: readonly string[]): string {
  const counts: Record<string, number> = {}
  for (const each of [...fingerprints].sort()) counts[each] = (counts[each] ?? 0) + 1
  return JSON.stringify({ schemaVersion: 1, findings: counts }, null, 2) + '\n'
}
