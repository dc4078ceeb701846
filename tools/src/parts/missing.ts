/** Says that a real part is not on this machine: the test's name, and the failure under CI, carry the reason. */
export function partMissing(part: string, why: string): Error {
  return new Error(`The part "${part}" is missing: ${why}`)
}

/**
 * Finds a part that tests need. Missing under `CI=true` is a failure; elsewhere the answer is null, and the
 * caller skips with the part's name.
 *
 * @example
 * const nginx = await requirePart('nginx', () => findProgram('nginx'))
 * test.skipIf(nginx === null)('nginx: …', …)
 */
export async function requirePart<Part>(name: string, find: () => Promise<Part>): Promise<Part | null> {
  try {
    return await find()
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    console.warn(`skipped: ${name}: ${(error as Error).message}`)
    return null
  }
}
