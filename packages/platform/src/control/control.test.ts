import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Release } from '@havn/model'
import { HavnError } from '@havn/model/errors'
import { readStatus, requestReload, requestStop } from './control-client.ts'
import { startControlServer, type ControlSource, type DeploymentStatus } from './control-server.ts'

const status: DeploymentStatus = {
  pid: 1,
  name: 'shop',
  framework: { id: 'django', name: 'Django' },
  entry: { interface: 'wsgi', target: 'shop.wsgi:application' },
  root: '/srv/shop',
  release: 'abc',
  urls: ['http://127.0.0.1:8000/'],
  since: '2026-01-01T00:00:00.000Z',
  processes: [],
}

let directory: string
let server: { path: string; close(): Promise<void> } | undefined
let stops: number

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'havn-control-'))
  stops = 0
})
afterEach(async () => {
  await server?.close()
  server = undefined
  await rm(directory, { recursive: true })
})

async function start(source: Partial<ControlSource> = {}): Promise<string> {
  server = await startControlServer(directory, {
    status: async () => status,
    release: () => ({ id: 'abc' }) as Release,
    reload: async () => {},
    stop: () => void stops++,
    ...source,
  })
  return server.path
}

function get(path: string): Promise<{ code: number; body: string }> {
  return new Promise((resolve, reject) => {
    request({ socketPath: join(directory, 'control.sock'), path, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ code: response.statusCode!, body }))
    })
      .on('error', reject)
      .end()
  })
}

test('the socket is for this user alone, and goes when the server does', async () => {
  const path = await start()
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  await server!.close()
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('status, release, and nothing else', async () => {
  await start()
  expect(await readStatus(directory)).toEqual(status)
  expect(JSON.parse((await get('/v1/release')).body)).toEqual({ id: 'abc' })
  expect((await get('/v1/secrets')).code).toBe(404)
  expect((await get('/v1/stop')).code).toBe(404)
  expect(stops).toBe(0)
})

test('stop', async () => {
  await start()
  expect(await requestStop(directory)).toBe(true)
  expect(stops).toBe(1)
})

test('a reload is answered when it is done', async () => {
  const done = Promise.withResolvers<void>()
  await start({ reload: () => done.promise })
  const asked = requestReload(directory)
  expect(await Promise.race([asked, readStatus(directory)])).toEqual(status)
  done.resolve()
  expect(await asked).toBe(true)
})

test("a reload that fails rejects with the app's own error", async () => {
  const json = { code: 'HAVN_ERR_APP_IMPORT', message: 'It breaks.', hint: 'Mend it.', kind: 'user' as const }
  await start({ reload: () => Promise.reject(new HavnError({ ...json, detail: 'its traceback' })) })
  await expect(requestReload(directory)).rejects.toMatchObject({ ...json, detail: 'its traceback' })
})

test('nothing runs: no socket, and a socket whose server was killed', async () => {
  expect(await readStatus(directory)).toBeNull()
  expect(await requestStop(directory)).toBe(false)
  expect(await requestReload(directory)).toBe(false)
  const dead = await start()
  await server!.close()
  await writeFile(dead, '')
  expect(await readStatus(directory)).toBeNull()
  await start()
  expect(await readStatus(directory)).toEqual(status)
})

test('a deployment that cannot say is an error, not a status', async () => {
  await start({ status: () => Promise.reject(new Error('gone')) })
  await expect(readStatus(directory)).rejects.toMatchObject({
    code: 'HAVN_ERR_CONTROL_UNANSWERED',
    message: `${join(directory, 'control.sock')} gives no answer: it says 500.`,
  })
})

test('a peer that hangs up is an error', async () => {
  const rude = createServer((incoming) => incoming.socket.destroy())
  rude.listen(join(directory, 'control.sock'))
  await once(rude, 'listening')
  await expect(readStatus(directory)).rejects.toMatchObject({ code: 'HAVN_ERR_CONTROL_UNANSWERED' })
  rude.close()
})
