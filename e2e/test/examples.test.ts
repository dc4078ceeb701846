import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { copyApp, examplesDirectory, freePort, startPlatform, type RunningProgram } from '../src/index.ts'

let platform: RunningProgram | undefined
let base: string

async function serve(args: readonly string[]): Promise<void> {
  const port = await freePort()
  base = `http://127.0.0.1:${port}`
  platform = startPlatform([...args, '--bind', `127.0.0.1:${port}`])
  await platform.waitFor(/Ctrl-C stops it/, 300_000)
}

async function stop(): Promise<void> {
  platform?.kill('SIGTERM')
  const end = await platform?.finished
  await platform?.dispose()
  platform = undefined
  expect(end).toMatchObject({ code: 0 })
}

describe('examples/chat', () => {
  let app: Awaited<ReturnType<typeof copyApp>>
  beforeAll(async () => {
    app = await copyApp(join(examplesDirectory, 'chat'))
    // Its rooms live in one process: two workers would be two rooms.
    await serve(['up', app.directory, '--workers', '1'])
  })
  afterAll(async () => {
    await stop()
    await app.remove()
  })

  test('shows its page', async () => {
    const response = await fetch(base)
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('WebSocket')
  })

  test('echoes text and binary', async () => {
    const socket = new WebSocket(`${base.replace('http', 'ws')}/echo`)
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    const next = () =>
      new Promise<[Buffer, boolean]>((resolve) =>
        socket.once('message', (...message) => resolve(message as [Buffer, boolean])),
      )
    let reply = next()
    socket.send('grüße')
    expect(await reply).toEqual([Buffer.from('grüße'), false])
    reply = next()
    socket.send(Buffer.from([0, 255, 1]))
    expect(await reply).toEqual([Buffer.from([0, 255, 1]), true])
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.close(1000)
    expect(await closed).toBe(1000)
  })
})

describe('examples/api', () => {
  beforeAll(() => serve(['up', join(examplesDirectory, 'api')]))
  afterAll(stop)

  test('answers JSON', async () => {
    const response = await fetch(new URL('/', base))
    expect(response.status).toBeLessThan(500)
    expect(response.headers.get('content-type')).toContain('json')
  })
})

describe.each([
  ['hello_wsgi:application', ['--interface', 'wsgi']],
  ['hello_asgi:application', ['--interface', 'asgi']],
  ['./wsgi.ts', []],
  ['./asgi.ts', []],
  ['./fetch.ts', []],
  ['./node.ts', []],
])('examples/hello: %s', (entry, more) => {
  beforeAll(() => serve(['serve', entry, '--directory', join(examplesDirectory, 'hello'), ...more]))
  afterAll(stop)

  test('says hello', async () => {
    const response = await fetch(base)
    expect(response.status).toBe(200)
    expect(await response.text()).toMatch(/hello/i)
  })
})
