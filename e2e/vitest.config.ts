import { defineConfig, mergeConfig } from 'vitest/config'
import shared from '../vitest.shared.ts'

export default mergeConfig(
  shared,
  defineConfig({
    test: { fileParallelism: false, testTimeout: 180_000, hookTimeout: 600_000, sequence: { groupOrder: 1 } },
  }),
)
