import { defineConfig } from 'vitest/config'

/** The settings that every package's tests share: real parts take real time to start. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    passWithNoTests: true,
  },
})
