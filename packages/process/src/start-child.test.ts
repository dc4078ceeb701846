import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startChild, type ChildOptions, type ManagedChild } from './start-child.ts'

const env = { PATH: process.env['PATH'] ?? '' }

async function start(code: string, options: Partial<ChildOptions> = {}): Promise<ManagedChild> {
  const child = await startChild({ command: process.execPath, args: ['-e', code], env, ...options })
  onTestFinished(() => child.kill())
  return child
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'havn-process-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

test('all output is there when the child has ended', async () => {
  const lines: string[] = []
  const code = `for (let i = 0; i < 20000; i++) console.log('line ' + i); process.stderr.write('no newline')`
  const child = await start(code, { onLine: (stream, line) => lines.push(`${stream} ${line}`) })
  expect(await child.exited).toMatchObject({ pid: child.pid, code: 0, signal: null, expected: false })
  expect(lines).toHaveLength(20_001)
  expect(lines).toContain('stdout line 19999')
  expect(lines).toContain('stderr no newline')
})

test('output that a grandchild holds open does not hide the end', async () => {
  const directory = await temporaryDirectory()
  const pidFile = join(directory, 'pid')
  const code = `
    const { pid } = require('child_process').spawn('sleep', ['60'], { stdio: 'inherit' })
    require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(pid))
    process.exit(4)`
  const child = await start(code, { onLine: () => {} })
  expect(await child.exited).toMatchObject({ code: 4 })
  process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL')
})

test('stop sends SIGTERM, and SIGKILL to one that does not listen', async () => {
  const gentle = await start(
    `process.on('SIGTERM', () => process.exit(5)); process.send('up'); setInterval(() => {}, 1e3)`,
    {
      ipc: true,
      onMessage: () => void gentle.stop(),
    },
  )
  expect(await gentle.exited).toMatchObject({ code: 5, expected: true })

  const deaf = await start(
    `process.on('SIGTERM', () => {}); process.send('up'); setInterval(() => {}, 1e3)`,
    {
      ipc: true,
      onMessage: () => void deaf.stop({ killMs: 100 }),
    },
  )
  expect(await deaf.exited).toMatchObject({ code: null, signal: 'SIGKILL', expected: true })
  expect(await deaf.stop()).toMatchObject({ signal: 'SIGKILL' })
})

test('messages go both ways, and the child sees when its parent lets go', async () => {
  const messages: unknown[] = []
  const code = `process.on('message', (m) => process.send({ echo: m })); process.on('disconnect', () => process.exit(6))`
  const child = await start(code, {
    ipc: true,
    onMessage: (message) => {
      messages.push(message)
      child.disconnect()
    },
  })
  expect(child.send('hello')).toBe(true)
  expect(await child.exited).toMatchObject({ code: 6 })
  expect(messages).toEqual([{ echo: 'hello' }])
  expect(child.send('late')).toBe(false)
})

test('one descriptor, passed twice, arrives as two', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 'file')
  const fd = openSync(path, 'w')
  const code = `const fs = require('fs'); fs.writeSync(3, 'a'); fs.closeSync(3); fs.writeSync(4, 'b')`
  const child = await start(code, { descriptors: [fd, fd] })
  expect(await child.exited).toMatchObject({ code: 0 })
  closeSync(fd)
  expect(await readFile(path, 'utf8')).toBe('ab')
})

test('the environment is what was given, and no more', async () => {
  const lines: string[] = []
  const child = await start(`console.log(Object.keys(process.env).sort().join())`, {
    env: { ONE: '1' },
    onLine: (_stream, line) => lines.push(line),
  })
  await child.exited
  expect(lines).toEqual(['ONE'])
})

test('a child that cannot start says why', async () => {
  const directory = await temporaryDirectory()
  const file = join(directory, 'not-executable')
  await writeFile(file, '')
  const reasonOf = (options: Partial<ChildOptions>) =>
    startChild({ command: process.execPath, args: ['-e', ''], env, ...options }).then(
      () => 'it started',
      (error: { code: string; message: string }) => `${error.code} ${error.message}`,
    )
  expect(await reasonOf({ command: 'no-such-program' })).toBe(
    'HAVN_ERR_PROCESS_SPAWN Could not start no-such-program: it was not found on the PATH.',
  )
  expect(await reasonOf({ command: '/no/such/program' })).toContain('there is no such file')
  expect(await reasonOf({ command: file })).toContain('permission denied')
  expect(await reasonOf({ cwd: '/no/such/folder' })).toContain('/no/such/folder does not exist')
  expect(await reasonOf({ cwd: file })).toContain('is not a folder')
})
