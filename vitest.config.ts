import { defineConfig } from 'vitest/config'

/** Every project's tests in one run; whole-platform runs come last and one at a time. */
export default defineConfig({
  test: { projects: ['packages/*', 'plugins/*', 'examples/*/vitest.config.ts', 'tools', 'e2e'] },
})
