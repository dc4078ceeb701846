import { once } from 'node:events'
import { lstat, readdir, readlink, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { HavnError } from '@havn/model'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startSupervisor, type GatewayOptions } from '../src/index.ts'
import {
  appsDirectory,
  descendants,
  get,
  openDescriptors,
  pythonOptions,
  pythonTest,
  startGateway,
  temporaryDirectory,
  urlOf,
} from './lifecycle-setup.ts'

async function startError(options: GatewayOptions): Promise<HavnError> {
  const before = descendants(process.pid)
  const error = await startSupervisor(options).then(
    async (handle) => {
      await handle.stop({ force: true })
      throw new Error('it started')
    },
    (error: HavnError) => error,
  )
  expect(descendants(process.pid)).toEqual(before)
  return error
}

describe('a gateway that starts', () => {
  pythonTest('serves a Python app from all its workers and threads, and says how it is', async () => {
    const handle = await startGateway(pythonOptions({ threads: 2, workers: 3 }))
    const status = await handle.status()
    const workers = status.process!.workers.map(({ pid }) => String(pid))
    expect(workers).toHaveLength(3)
    expect(status).toMatchObject({ state: 'ready', restarts: 0, process: { state: 'ready' } })

    const answers = await Promise.all(Array.from({ length: 20 }, () => get(urlOf(handle.addresses))))
    for (const { status, text } of answers) {
      expect(status).toBe(200)
      expect(workers).toContain(text)
    }
    expect((await handle.status()).process!.counters.requests).toBe(20)
  })

  pythonTest('gives its listeners to threads alone, not to workers', async () => {
    const handle = await startGateway(pythonOptions())
    const { pid, process: inner } = await handle.status()
    const listening = await socketsOf(pid!)
    const held = await socketsOf(inner!.workers[0]!.pid!)
    expect(listening.length).toBeGreaterThan(0)
    expect(held.filter((socket) => listening.includes(socket))).toEqual([])
  })

  test('serves a TypeScript app', async () => {
    const handle = await startGateway({
      listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
      app: { language: 'node', interface: 'fetch', target: 'hello.ts', directory: appsDirectory },
      threads: 2,
      log: { level: 'silent' },
    })
    expect((await get(urlOf(handle.addresses))).text).toBe('hello from TypeScript')
  })

  pythonTest('replaces a Unix socket that a dead server left, and removes its own at the end', async () => {
    const path = join(await temporaryDirectory(), 'app.sock')
    const options = pythonOptions({ listeners: [{ type: 'unix', path }] })
    const dead = createServer().listen(path)
    await once(dead, 'listening')
    // A server that dies leaves its file; Node removes it on close, so it is put back.
    await rename(path, path + '.kept')
    dead.close()
    await once(dead, 'close')
    await rename(path + '.kept', path)

    const handle = await startGateway(options)
    expect((await lstat(path)).mode & 0o777).toBe(0o660)
    await handle.stop()
    await expect(lstat(path)).rejects.toThrow('ENOENT')
  })

  test('leaves no descriptor behind in twenty lives', async () => {
    const options: GatewayOptions = {
      listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
      app: { language: 'none' },
      log: { level: 'silent' },
    }
    await (await startSupervisor(options)).stop()
    const before = openDescriptors('self')
    for (let life = 0; life < 20; life++) {
      const handle = await startSupervisor(options)
      await handle.stop()
    }
    expect(openDescriptors('self')).toBeLessThanOrEqual(before)
  }, 120_000)
})

describe('a gateway that cannot start', () => {
  pythonTest('names the holder of a taken port', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const error = await startError(pythonOptions({ listeners: [{ type: 'tcp', host: '127.0.0.1', port }] }))
    expect(error.code).toBe('HAVN_ERR_GATEWAY_ADDRESS_IN_USE')
    expect(error.message).toContain(`127.0.0.1:${port}`)
    expect(error.message).toContain(`(process ${process.pid})`)
  })

  pythonTest('does not take a Unix socket from a live server, nor anything that is no socket', async () => {
    const directory = await temporaryDirectory()
    const path = join(directory, 'app.sock')
    const server = createServer().listen(path)
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const taken = await startError(pythonOptions({ listeners: [{ type: 'unix', path }] }))
    expect(taken.code).toBe('HAVN_ERR_GATEWAY_ADDRESS_IN_USE')

    await writeFile(join(directory, 'file'), '')
    const other = [{ type: 'unix' as const, path: join(directory, 'file') }]
    expect((await startError(pythonOptions({ listeners: other }))).code).toBe('HAVN_ERR_GATEWAY_ADDRESS')
  })

  pythonTest('says what is wrong with an address', async () => {
    const listeners = [{ type: 'tcp' as const, host: '192.0.2.1', port: 0 }]
    const error = await startError(pythonOptions({ listeners }))
    expect(error).toMatchObject({ code: 'HAVN_ERR_GATEWAY_ADDRESS' })
    expect(error.message).toContain('this machine has no such address')
  })

  pythonTest('names each wrong key of its configuration', async () => {
    const error = await startError({ ...pythonOptions(), workers: 'two' } as never)
    expect(error).toMatchObject({ code: 'HAVN_ERR_GATEWAY_CONFIG', exit: 2 })
    expect(error.message).toContain('workers')
  })

  pythonTest.each([
    ['broken_import:application', 'HAVN_ERR_APP_IMPORT', 'no_such_package_of_the_user'],
    ['broken_syntax:application', 'HAVN_ERR_APP_IMPORT', 'SyntaxError'],
  ])('shows the whole traceback of %s', async (target, code, detail) => {
    const error = await startError(pythonOptions({ workers: 2 }, target))
    expect(error.code).toBe(code)
    expect(error.detail).toContain(detail)
    expect(error.detail).toContain('line 1')
    expect(error.detail).not.toContain('havn_host')
  })

  pythonTest('says why the lifespan of an ASGI app failed', async () => {
    const { app, ...options } = pythonOptions({}, 'lifespan_fails:application')
    const error = await startError({ ...options, app: { ...app, interface: 'asgi' } as typeof app })
    expect(error.code).toBe('HAVN_ERR_APP_LIFESPAN')
    expect(error.message).toContain('no database')
  })

  pythonTest.each([
    ['site_app:aplication', 'HAVN_ERR_APP_ATTRIBUTE', 'application'],
    ['not_callable:application', 'HAVN_ERR_APP_NOT_CALLABLE', 'a text'],
    ['no_such_module:application', 'HAVN_ERR_APP_IMPORT', 'no_such_module'],
  ])('says what %s is', async (target, code, seen) => {
    const error = await startError(pythonOptions({}, target))
    expect(error.code).toBe(code)
    expect(error.message).toContain(seen)
  })

  pythonTest('shows the last words of an app that dies', async () => {
    const exit = await startError(pythonOptions({}, 'broken_exit:application'))
    expect(exit).toMatchObject({ code: 'HAVN_ERR_APP_DIED', detail: 'the last words' })
    expect(exit.message).toContain('exited with code 7')
    const fault = await startError(pythonOptions({}, 'broken_segfault:application'))
    expect(fault.code).toBe('HAVN_ERR_APP_DIED')
    expect(fault.message).toContain('SIGSEGV')
    expect(fault.detail).toContain('broken_segfault.py')
  })

  pythonTest('gives up on an app that does not get ready in time', async () => {
    const error = await startError(pythonOptions({ timeouts: { startMs: 500 } }, 'broken_slow:application'))
    expect(error.code).toBe('HAVN_ERR_APP_START_TIMEOUT')
  })

  pythonTest('can be broken off while its app is imported', async () => {
    const before = descendants(process.pid)
    const signal = AbortSignal.timeout(1_000)
    const options = pythonOptions({}, 'broken_slow:application')
    await expect(startSupervisor(options, { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(descendants(process.pid)).toEqual(before)
  })

  pythonTest('says that the interpreter is missing', async () => {
    const options = pythonOptions()
    const app = { ...options.app, python: '/no/such/python' } as GatewayOptions['app']
    const error = await startError({ ...options, app })
    expect(error.code).toBe('HAVN_ERR_PROCESS_SPAWN')
    expect(error.message).toContain('/no/such/python')
  })

  pythonTest('says which thread module does not load', async () => {
    const error = await startError(pythonOptions({ threadModules: ['file:///no/such/module.js'] }))
    expect(error.code).toBe('HAVN_ERR_GATEWAY_THREAD_MODULE')
  })
})

async function socketsOf(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`)
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')))
  return targets.filter((target) => target.startsWith('socket:'))
}
