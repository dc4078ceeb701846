import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the watchdog tells a thread that computes from one that waits', async () => {
  const script = fileURLToPath(new URL('host-units/check_pace.py', import.meta.url))
  const { stdout } = await promisify(execFile)('python3', [script])
  expect(stdout.trim()).toBe('')
})
