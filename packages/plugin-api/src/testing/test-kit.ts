/** The two functions that a suite needs of a test runner: vitest's, or node:test's. */
export interface TestKit {
  describe(name: string, body: () => void): unknown
  it(name: string, body: () => Promise<void>): unknown
  /** The suites assert by themselves; vitest's `expect` may be handed along with the rest. */
  expect?: unknown
}
