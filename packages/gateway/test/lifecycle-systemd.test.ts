import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Address } from '@havn/model'
import { startChild } from '@havn/process'
import { expect, onTestFinished, test } from 'vitest'
import { supervisorModule, takeSystemdSockets, type GatewayOptions } from '../src/index.ts'
import { bindHandle, type BoundHandle } from '../src/supervisor/bound-handle.ts'
import { appsDirectory, get, isAlive, temporaryDirectory, until, urlOf } from './lifecycle-setup.ts'

test('sockets are those of the process that they were passed to, once', () => {
  const env = { LISTEN_PID: '4711', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b', PATH: '/bin' }
  expect(takeSystemdSockets({ ...env }, 1)).toEqual([])
  expect(takeSystemdSockets(env, 4711)).toEqual([3, 4])
  expect(env).toEqual({ PATH: '/bin' })
  expect(takeSystemdSockets(env, 4711)).toEqual([])
})

test('a supervisor listens on the sockets that it was passed, and leaves them to who bound them', async () => {
  const directory = await temporaryDirectory()
  const unixPath = join(directory, 'app.sock')
  const sockets = [bindHandle('127.0.0.1', 0, 4), bindHandle(unixPath, -1, -1)] as BoundHandle[]
  onTestFinished(() => sockets.forEach((socket) => socket.close()))
  const config: GatewayOptions = {
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 1 }],
    app: { language: 'node', interface: 'fetch', target: 'hello.ts', directory: appsDirectory },
    log: { level: 'silent' },
  }
  const configFile = join(directory, 'gateway.json')
  await writeFile(configFile, JSON.stringify(config))

  const ready = Promise.withResolvers<unknown>()
  const child = await startChild({
    command: '/bin/sh',
    // The process that is told of the sockets is the one that replaces the shell.
    args: [
      '-c',
      'LISTEN_PID=$$ LISTEN_FDS=2 exec "$@"',
      'sh',
      process.execPath,
      fileURLToPath(supervisorModule),
      configFile,
    ],
    env: { PATH: process.env['PATH'] ?? '' },
    descriptors: sockets.map(({ fd }) => fd),
    ipc: true,
    onMessage: (message) => ready.resolve(message),
  })
  onTestFinished(async () => void (await child.stop()))
  const { port } = sockets[0]!
  const addresses: Address[] = [
    { type: 'tcp', host: '127.0.0.1', port },
    { type: 'unix', path: unixPath },
  ]
  expect(await ready.promise).toEqual({ type: 'ready', addresses })
  const askUnix = () =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { connection: 'close' }
      request({ socketPath: unixPath, headers }, (response) => resolve(response.resume().statusCode))
        .once('error', reject)
        .end()
    })
  expect((await get(urlOf(addresses))).status).toBe(200)
  expect(await askUnix()).toBe(200)
  process.kill(child.pid, 'SIGHUP')
  expect((await get(urlOf(addresses))).status).toBe(200)

  expect(await child.stop()).toMatchObject({ code: 0 })
  await until('its end', () => !isAlive(child.pid))
  // The sockets still listen: a connection waits for the next start.
  for (const target of [{ path: unixPath }, { host: '127.0.0.1', port }]) {
    const waiting = connect(target)
    await once(waiting, 'connect')
    waiting.destroy()
  }
})
