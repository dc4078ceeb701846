import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { followFile } from './follow-file.ts'

function follow() {
  const folder = mkdtempSync(join(tmpdir(), 'havn-follow-'))
  const file = join(folder, 'access.log')
  const output = new PassThrough()
  let text = ''
  output.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const stopping = new AbortController()
  const ended = followFile({ file, output, signal: stopping.signal })
  onTestFinished(async () => {
    stopping.abort()
    await ended
    rmSync(folder, { recursive: true })
  })
  return { file, text: () => text, stop: () => (stopping.abort(), ended) }
}

test('prints what is appended, and at the end what is left', async () => {
  const followed = follow()
  appendFileSync(followed.file, 'one\n')
  await expect.poll(followed.text, { timeout: 10_000 }).toBe('one\n')
  appendFileSync(followed.file, 'two\n')
  await followed.stop()
  await expect.poll(followed.text).toBe('one\ntwo\n')
  expect(existsSync(followed.file)).toBe(false)
})

test('empties the file once it has grown, and goes on', async () => {
  const followed = follow()
  const line = 'a'.repeat(1023) + '\n'
  appendFileSync(followed.file, line.repeat(5_000))
  await expect.poll(() => followed.text().length, { timeout: 10_000 }).toBe(5_000 * 1024)
  await expect.poll(() => statSync(followed.file).size, { timeout: 10_000 }).toBe(0)
  appendFileSync(followed.file, 'after\n')
  await expect.poll(() => followed.text().endsWith('\nafter\n'), { timeout: 10_000 }).toBe(true)
})
