import { resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { freePort, processesOfGroup, startProgram, type RunningProgram } from '../src/index.ts'

const root = resolve(import.meta.dirname, '../..')
let demo: RunningProgram | undefined
afterEach(() => demo?.dispose())

/** `npm run demo`, on a port of its own, as a shell's foreground job. */
async function startDemo(): Promise<RunningProgram> {
  demo = startProgram('npm', ['run', 'demo', '--', '--bind', `127.0.0.1:${await freePort()}`], { cwd: root })
  await demo.waitFor(/Ctrl-C stops it/, 300_000)
  return demo
}

test.each([
  ['Ctrl-C', (program: RunningProgram) => program.killGroup('SIGINT')],
  ['SIGTERM to npm alone', (program: RunningProgram) => program.kill('SIGTERM')],
  ['SIGTERM to the whole group', (program: RunningProgram) => program.killGroup('SIGTERM')],
])('npm run demo: %s drains, exits 0, leaves no process', async (_name, stop) => {
  const program = await startDemo()
  const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(program.output())?.[0] ?? ''
  expect((await fetch(new URL('/polls/', url))).status).toBe(200)

  stop(program)
  expect(await program.finished).toMatchObject({ code: 0, signal: null })
  expect(await processesOfGroup(program.pid)).toEqual([])
  await expect(fetch(url)).rejects.toThrow()
})
