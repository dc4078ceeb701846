import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { runProgram } from './run-program.ts'

const env = { PATH: process.env['PATH'] ?? '' }
const node = (code: string) => ({ command: process.execPath, args: ['-e', code], env })
/** A shell whose child ignores SIGTERM and says its number. */
const stubborn = { command: 'sh', args: ['-c', `(trap '' TERM; echo $$; exec sleep 60) & wait`], env }

test('gives output, exit code and time; a failure is a result', async () => {
  const lines: string[] = []
  const result = await runProgram({
    ...node(`process.stdin.pipe(process.stdout); process.stderr.write('bad\\n'); process.exitCode = 3`),
    input: 'words',
    onLine: (stream, line) => lines.push(`${stream}: ${line}`),
  })
  expect(result).toMatchObject({ code: 3, signal: null, stdout: 'words', stderr: 'bad\n' })
  expect(lines.sort()).toEqual(['stderr: bad', 'stdout: words'])
})

test('keeps the end of a long output', async () => {
  const code = `process.stdout.write('x'.repeat(1e6) + 'the end')`
  const { stdout } = await runProgram({ ...node(code), maxOutputBytes: 1_000 })
  expect(stdout).toHaveLength(1_000)
  expect(stdout.endsWith('the end')).toBe(true)
})

test('a program that does not read its input is no error', async () => {
  const result = await runProgram({ ...node('process.exit(0)'), input: Buffer.alloc(4 * 1024 * 1024) })
  expect(result.code).toBe(0)
})

test('a timeout ends the whole group and shows the output so far', async () => {
  const error = await runProgram({ ...stubborn, timeoutMs: 300 }).catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'HAVN_ERR_PROCESS_TIMEOUT' })
  const group = Number((error as { detail: string }).detail)
  await groupEnded(group)
})

test('an abort ends the whole group and rejects with its reason', async () => {
  const controller = new AbortController()
  let group = 0
  const running = runProgram({
    ...stubborn,
    signal: controller.signal,
    onLine: (_stream, line) => {
      group = Number(line)
      controller.abort(new Error('no longer wanted'))
    },
  })
  await expect(running).rejects.toThrow('no longer wanted')
  expect(group).toBeGreaterThan(0)
  await groupEnded(group)
  await expect(runProgram({ ...node(''), signal: controller.signal })).rejects.toThrow('no longer wanted')
})

test('a program that is not there is an error', async () => {
  await expect(runProgram({ command: 'no-such-program', env })).rejects.toMatchObject({
    code: 'HAVN_ERR_PROCESS_SPAWN',
  })
})

/** Resolves when no process of the group runs; its zombies are their new parent's affair. */
async function groupEnded(group: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { stdout } = await runProgram({ command: 'ps', args: ['-A', '-o', 'pgid=,stat='], env })
    const members = stdout.split('\n').map((line) => line.trim().split(/\s+/))
    if (!members.some(([id, state]) => Number(id) === group && !state?.startsWith('Z'))) return
    await sleep(25)
  }
  throw new Error(`the group ${group} runs on`)
}
