import { spawn } from 'node:child_process'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'

const script = fileURLToPath(new URL('log-writer.ts', import.meta.url))
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/**
 * Node's own pipes are sockets; a shell's are FIFOs, which `cat` makes here. A socket other than standard output
 * stays in blocking mode.
 */
type Kind = 'socket' | 'fifo' | 'blocking socket'

function startWriter(kind: Kind, args: string[]) {
  const stdio: StdioOptions = ['pipe', 'pipe', 'pipe']
  const command = [process.execPath, script, ...args]
  if (kind === 'blocking socket') {
    const env = { ...process.env, LOG_FD: '3' }
    const child = spawn(command[0]!, command.slice(1), { stdio: [...stdio, 'pipe'], env })
    children.push(child)
    return { child, log: child.stdio[3] as Readable }
  }
  const child =
    kind === 'socket'
      ? spawn(command[0]!, command.slice(1), { stdio })
      : spawn('sh', ['-c', '"$@" | { read -r go <&3; cat; }', 'sh', ...command], {
          stdio: [...stdio, 'pipe'],
        })
  children.push(child)
  return { child, log: child.stdout! }
}

function parse(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** Lets a shell's reader begin. */
function release(kind: Kind, child: ChildProcess): void {
  if (kind === 'fifo') (child.stdio[3] as Writable).write('go\n')
}

describe.each<Kind>(['socket', 'fifo', 'blocking socket'])('a log on a %s', (kind) => {
  test('whose reader stalls does not stop the process; lost lines are counted', async () => {
    const { child, log } = startWriter(kind, ['stall', '1000'])
    const errors: string[] = []
    child.stderr!.on('data', (data: Buffer) => errors.push(data.toString()))
    // Nobody reads standard output yet.
    while (!errors.join('').includes('served')) await once(child.stderr!, 'data')

    release(kind, child)
    let output = ''
    log.on('data', (data: Buffer) => (output += data.toString()))
    while (!output.includes('"dropped":')) await once(log, 'data')
    child.stdin!.write('end\n')
    await once(log, 'end')
    const lines = parse(output)
    const written = lines.filter(({ msg }) => msg === 'line').length
    const dropped = lines.reduce((sum, line) => sum + ((line['dropped'] as number) ?? 0), 0)
    expect(dropped).toBeGreaterThan(0)
    expect(written + dropped).toBe(20_000)
    expect(lines.at(-1)).toMatchObject({ msg: 'last' })
  })
})

describe.each<Kind>(['socket', 'fifo'])('a log on a %s', (kind) => {
  test('gets every line of a process that exits at once', async () => {
    const { child, log } = startWriter(kind, ['exit', '200'])
    release(kind, child)
    const lines = parse(await text(log))
    expect(lines.map(({ line }) => line)).toEqual(Array.from({ length: 200 }, (_, line) => line))
  })

  test('gets whole lines from several threads at once', async () => {
    const { child, log } = startWriter(kind, ['threads', '2000'])
    release(kind, child)
    const lines = parse(await text(log))
    expect(lines).toHaveLength(4 * 2000)
    expect(lines.filter(({ from }) => from === 'thread')).toHaveLength(3 * 2000)
  })
})

test('a reader that has gone away does not end the process', async () => {
  const { child, log } = startWriter('socket', ['gone', '10'])
  log.destroy()
  const errors = text(child.stderr!)
  const exited = once(child, 'exit')
  child.stdin!.write('go\n')
  expect(await exited).toEqual([0, null])
  expect(await errors).toBe('alive\n')
})

test('a process whose reader never comes back still ends', async () => {
  const { child } = startWriter('socket', ['exit', '20000'])
  const [code] = (await once(child, 'exit')) as [number]
  expect(code).toBe(3)
})

test('a file gets every line, after those it had', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'havn-log-'))
  try {
    const file = join(directory, 'log')
    for (const round of [1, 2]) {
      const fd = openSync(file, 'a')
      const child = spawn(process.execPath, [script, 'exit', '50'], { stdio: ['ignore', fd, 'inherit'] })
      closeSync(fd)
      await once(child, 'exit')
      expect(parse(readFileSync(file, 'utf8'))).toHaveLength(50 * round)
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
