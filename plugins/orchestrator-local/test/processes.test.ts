import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { workloadSchema } from '@havn/model'
import type { Program, WorkloadInput } from '@havn/model'
import { ask, createRelease, fixture, serving } from './release.ts'
import { errorOf, isAlive, scene } from './scene.ts'

const node = (script: string, main: Partial<WorkloadInput['main']> = {}) =>
  workloadSchema.parse({
    id: 'app',
    main: { id: 'app', program: { type: 'command', path: process.execPath }, args: ['-e', script], ...main },
  })
const speaking = (message: object, exitCode?: number) => {
  const args = [JSON.stringify(message), ...(exitCode === undefined ? [] : [String(exitCode)])]
  const program: Program = { type: 'node', module: fixture('speak') }
  return workloadSchema.parse({
    id: 'app',
    main: { id: 'app', program, args, probes: { startup: { type: 'ipc' } } },
  })
}

describe('starting', () => {
  it('waits until what a process uses is ready, and stops the other way', () =>
    scene({}, async ({ root, apply, destroy, of }) => {
      const app = serving(join(root, 'a.sock'), 'a', { args: [join(root, 'a.sock'), 'a', '200'] })
      const edge = serving(join(root, 'e.sock'), 'e')
      const listens = [{ ...edge.main.listens[0]!, endpoint: 'public' }]
      const front = { ...edge, id: 'edge', main: { ...edge.main, uses: ['app'], listens } }
      await apply(createRelease({ root, workloads: [front, app] }))
      expect(of('process.ready').map(({ process }) => process)).toEqual(['app', 'edge'])
      await destroy()
      expect(of('process.exited').map(({ process, expected, code }) => [process, expected, code])).toEqual([
        ['edge', true, 0],
        ['app', true, 0],
      ])
      expect(of('release.stopped')).toHaveLength(1)
    }))

  it('takes "ready" and "failed" over IPC', () =>
    scene({}, async ({ root, apply, destroy }) => {
      await apply(createRelease({ root, workloads: [speaking({ type: 'ready' })] }))
      await destroy()
      const error = {
        code: 'HAVN_ERR_SAMPLE',
        message: 'No module named nope',
        hint: 'h',
        kind: 'user',
        exit: 1,
      }
      const failed = speaking({ type: 'failed', error }, 1)
      expect((await errorOf(apply(createRelease({ root, workloads: [failed] })))).code).toBe(
        'HAVN_ERR_SAMPLE',
      )
    }))

  it('accepts a TCP connection as ready', () =>
    scene({}, async ({ root, apply }) => {
      const listens = await new Promise<number>((resolve) => {
        const server = createServer().listen(0, '127.0.0.1', () => {
          const { port } = server.address() as { port: number }
          server.close(() => resolve(port))
        })
      })
      const address = { type: 'tcp', host: '127.0.0.1', port: listens } as const
      const probes = { startup: { type: 'connect', address, intervalMs: 20 } } as const
      const args = [String(listens), 'x', '150']
      const workload = serving(join(root, 'a.sock'), 'x', {
        args,
        probes,
        listens: [{ endpoint: 'app', address }],
      })
      await apply(createRelease({ root, workloads: [workload] }))
    }))

  it('says what the probe saw last when a process is not ready in time', () =>
    scene({}, async ({ root, apply, local }) => {
      const address = { type: 'unix', path: join(root, 'a.sock') } as const
      const startup = {
        type: 'http',
        address,
        path: '/',
        host: 'other.test',
        intervalMs: 20,
        timeoutMs: 4_000,
      } as const
      const error = await errorOf(
        apply(createRelease({ root, workloads: [serving(address.path, 'x', { probes: { startup } })] })),
      )
      expect(error.code).toBe('HAVN_ERR_PROCESS_NOT_READY')
      expect(error.message).toMatch(
        /Last seen: GET \/ on unix:.*\(Host: other\.test\) was answered with 500\./,
      )
      expect(error.detail).toBe('listening')
      expect(await local.status()).toEqual([])
    }))

  it('tells the exit code and last lines of a process that dies, and stops the others at once', () =>
    scene({}, async ({ root, apply, of }) => {
      const dying = {
        ...node('setTimeout(() => { console.error("no database"); process.exit(3) }, 300)'),
        id: 'dying',
      }
      dying.main.probes.startup = { type: 'ipc', timeoutMs: 20_000 }
      const other = serving(join(root, 'a.sock'), 'x', { args: [join(root, 'a.sock'), 'x', '60000'] })
      const error = await errorOf(apply(createRelease({ root, workloads: [dying, other] })))
      expect(error.message).toBe('dying exited with code 3 before it was ready.')
      expect(error.detail).toBe('no database')
      for (const { pid } of of('process.starting')) expect(await isAlive(pid!)).toBe(false)
    }))

  it('is broken off by its signal', () =>
    scene({}, async ({ root, apply, until, of }) => {
      const abort = new AbortController()
      const never = node('setInterval(() => {}, 1000)', { probes: { startup: { type: 'ipc' } } })
      const applying = errorOf(apply(createRelease({ root, workloads: [never] }), null, abort.signal))
      await until(({ type }) => type === 'process.starting')
      abort.abort(new Error('Ctrl-C'))
      expect((await applying).message).toBe('Ctrl-C')
      expect(await isAlive(of('process.starting')[0]!.pid!)).toBe(false)
    }))
})

describe('what a process gets', () => {
  it('is the environment of the app, its own, and its secrets; the values are in no event', () =>
    scene({}, async ({ root, apply, events, stateDirectory }) => {
      process.env['SAMPLE_SECRET'] = 'swordfish'
      try {
        const script = `
          const { OWN, SAMPLE_SETTING, TOKEN } = process.env
          process.exitCode = OWN === 'yes' && SAMPLE_SETTING === 'on' && TOKEN === 'swordfish' ? 0 : 9
          setTimeout(() => process.send({ type: process.exitCode ? 'no' : 'ready' }), 10)
          setInterval(() => {}, 1000)`
        const secrets = [{ name: 'SAMPLE_SECRET', env: 'TOKEN' }]
        await apply(
          createRelease({
            root,
            workloads: [node(script, { env: { OWN: 'yes' }, secrets, probes: { startup: { type: 'ipc' } } })],
          }),
        )
        expect(JSON.stringify(events)).not.toContain('swordfish')
        const files = (await readdir(stateDirectory, { recursive: true, withFileTypes: true })).filter((f) =>
          f.isFile(),
        )
        for (const file of files) {
          expect(await readFile(join(file.parentPath, file.name), 'utf8')).not.toContain('swordfish')
        }
      } finally {
        delete process.env['SAMPLE_SECRET']
      }
    }))

  it('is refused when a secret is not set, by name', () =>
    scene({}, async ({ root, apply }) => {
      const secrets = [{ name: 'HAVN_TEST_ABSENT', env: 'TOKEN' }]
      const error = await errorOf(apply(createRelease({ root, workloads: [node('0', { secrets })] })))
      expect(error.code).toBe('HAVN_ERR_LOCAL_SECRET_MISSING')
      expect(error.message).toContain('HAVN_TEST_ABSENT')
    }))

  it('includes its files, private ones, which are gone afterwards', () =>
    scene({}, async ({ root, runDirectory, apply, destroy }) => {
      const workloads = [serving(join(root, 'a.sock'), 'x')]
      await apply(createRelease({ root, workloads, files: [{ path: 'conf/app.json', content: '{"a":1}' }] }))
      const file = join(runDirectory, 'conf/app.json')
      expect(await readFile(file, 'utf8')).toBe('{"a":1}')
      expect((await stat(file)).mode & 0o777).toBe(0o600)
      expect((await stat(runDirectory)).mode & 0o777).toBe(0o700)
      await destroy()
      await expect(stat(runDirectory)).rejects.toThrow('ENOENT')
      await expect(stat(join(root, 'a.sock'))).rejects.toThrow('ENOENT')
    }))

  it('needs the interpreter and the script that it names', () =>
    scene({}, async ({ root, apply }) => {
      const python = node('', { program: { type: 'python' } })
      expect((await errorOf(apply(createRelease({ root, workloads: [python] })))).code).toBe(
        'HAVN_ERR_LOCAL_RUNTIME',
      )
    }))

  it('names the package of a script that is not installed', async () => {
    const runtime = {
      language: 'python',
      interpreter: '/opt/none/bin/python',
      version: '3.11.7',
      env: {},
    } as const
    await scene({ runtime }, async ({ root, apply }) => {
      const gunicorn = node('', { program: { type: 'python-script', name: 'gunicorn' } })
      const error = await errorOf(apply(createRelease({ root, workloads: [gunicorn] })))
      expect(error.message).toBe('app needs the program gunicorn, and /opt/none/bin has none.')
      expect(error.hint).toBe("Install the package gunicorn into the app's Python environment.")
    })
  })
})

describe('an address', () => {
  it('that nobody listens on any more is free again', () =>
    scene({}, async ({ root, apply }) => {
      const path = join(root, 'a.sock')
      await writeFile(path, '')
      await apply(createRelease({ root, workloads: [serving(path, 'x')] }))
      expect(await ask(path)).toBe('x')
    }))

  it('that another program listens on is an error before anything starts', () =>
    scene({}, async ({ root, apply, of }) => {
      const server = createServer()
      const path = join(root, 'a.sock')
      await new Promise<void>((resolve) => server.listen(path, resolve))
      try {
        const error = await errorOf(apply(createRelease({ root, workloads: [serving(path, 'x')] })))
        expect(error.code).toBe('HAVN_ERR_LOCAL_ADDRESS_TAKEN')
        expect(of('process.starting')).toEqual([])
      } finally {
        server.close()
      }
    }))
})

describe('a process that ends by itself', () => {
  it('comes back', () =>
    scene({ restart: { firstDelayMs: 10 } }, async ({ root, apply, until, of, local }) => {
      const path = join(root, 'a.sock')
      await apply(createRelease({ root, workloads: [serving(path, 'x')] }))
      await ask(path, '/crash').catch(() => {})
      await until(({ type }) => type === 'process.restarting')
      await until(() => of('process.ready').length === 2)
      expect(await ask(path)).toBe('x')
      expect(of('process.exited')).toMatchObject([{ code: 7, signal: null, expected: false }])
      expect(await local.status()).toMatchObject([{ process: 'app', state: 'ready', restarts: 1 }])
    }))

  it('takes the release with it when it does not come back', () =>
    scene({ restart: { firstDelayMs: 1, attempts: 2 } }, async ({ root, apply, local }) => {
      const path = join(root, 'a.sock')
      const flag = join(root, 'flag')
      const script = `
        const { existsSync, writeFileSync } = require('node:fs')
        if (existsSync(${JSON.stringify(flag)})) { console.log('the disk is full'); process.exit(5) }
        writeFileSync(${JSON.stringify(flag)}, '')
        process.send({ type: 'ready' })
        setTimeout(() => process.exit(1), 50)`
      const app = { ...node(script, { probes: { startup: { type: 'ipc' } } }), id: 'fragile' }
      await apply(createRelease({ root, workloads: [app, serving(path, 'x')] }))
      const { reason, error } = await local.ended()
      expect(reason).toContain('fragile did not come back in 2 attempts')
      expect(error).toMatchObject({ code: 'HAVN_ERR_LOCAL_GAVE_UP', detail: 'the disk is full' })
      await expect(ask(path)).rejects.toThrow()
    }))
})

describe('stopping', () => {
  it('breaks off a start, and leaves nothing running', () =>
    scene({}, async ({ root, apply, until, of, destroy }) => {
      const never = node('setInterval(() => {}, 1000)', { probes: { startup: { type: 'ipc' } } })
      const applying = errorOf(apply(createRelease({ root, workloads: [never] })))
      await until(({ type }) => type === 'process.starting')
      await destroy()
      expect((await applying).name).toBe('AbortError')
      expect(await isAlive(of('process.starting')[0]!.pid!)).toBe(false)
    }))

  it('lets a request finish', () =>
    scene({}, async ({ root, apply, destroy, until }) => {
      const path = join(root, 'a.sock')
      await apply(createRelease({ root, workloads: [serving(path, 'late')] }))
      const slow = ask(path, '/slow')
      await until((event) => event.type === 'process.output' && event.line === 'slow began')
      await destroy()
      expect(await slow).toBe('late')
    }))

  it('kills what ignores its signal, with its children', () =>
    scene({}, async ({ root, apply, destroy, until }) => {
      const script = `
        process.on('SIGTERM', () => {})
        const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
        console.log(child.pid)
        process.send({ type: 'ready' })
        setInterval(() => {}, 1000)`
      const stop = { drainMs: 100, killMs: 200 }
      await apply(
        createRelease({ root, workloads: [node(script, { stop, probes: { startup: { type: 'ipc' } } })] }),
      )
      const output = await until(({ type }) => type === 'process.output')
      const grandchild = Number((output as { line: string }).line)
      expect(await isAlive(grandchild)).toBe(true)
      await destroy()
      await expect.poll(() => isAlive(grandchild), { timeout: 10_000 }).toBe(false)
    }))
})

describe('a second deployment', () => {
  it('of the same app is refused while the first runs', () =>
    scene({}, async ({ root, apply, stateDirectory }) => {
      await apply(createRelease({ root, workloads: [serving(join(root, 'a.sock'), 'x')] }))
      const lock = await readFile(join(stateDirectory, 'locks/deployment.json'), 'utf8')
      await scene({}, async (other) => {
        await mkdir(join(other.stateDirectory, 'locks'), { recursive: true })
        await writeFile(join(other.stateDirectory, 'locks/deployment.json'), lock)
        const error = await errorOf(other.apply(createRelease({ root, workloads: [] })))
        expect(error.message).toContain(`process ${process.pid}`)
      })
    }))

  it('ends what a killed one left behind', () =>
    scene({}, async ({ root, apply, stateDirectory, of }) => {
      await apply(createRelease({ root, workloads: [serving(join(root, 'a.sock'), 'x')] }))
      await expect
        .poll(() => readFile(join(stateDirectory, 'processes.json'), 'utf8').catch(() => ''))
        .toContain('pid')
      const orphans = await readFile(join(stateDirectory, 'processes.json'), 'utf8')
      const pid = of('process.starting')[0]!.pid!
      await scene({}, async (other) => {
        await mkdir(join(other.stateDirectory, 'locks'), { recursive: true })
        await writeFile(join(other.stateDirectory, 'processes.json'), orphans)
        await writeFile(
          join(other.stateDirectory, 'locks/deployment.json'),
          '{"pid":999999999,"startTicks":"1"}',
        )
        await other.apply(createRelease({ root: other.root, workloads: [] }))
      })
      expect(await isAlive(pid)).toBe(false)
    }))
})

describe('the log', () => {
  it('has the last lines, and those to come', () =>
    scene({ logLines: 2 }, async ({ root, apply, until, local }) => {
      const script = `
        for (const line of ['one', 'two', 'three']) console.log(line)
        process.on('SIGUSR2', () => console.log('four'))
        process.send({ type: 'ready' })
        setInterval(() => {}, 1000)`
      await apply(
        createRelease({ root, workloads: [node(script, { probes: { startup: { type: 'ipc' } } })] }),
      )
      await until((event) => event.type === 'process.output' && event.line === 'three')
      const kept: string[] = []
      for await (const line of local.logs({ follow: false, signal: AbortSignal.timeout(5_000) }))
        kept.push(line)
      expect(kept).toEqual(['app | two', 'app | three'])

      const abort = new AbortController()
      const followed: string[] = []
      const pid = (await local.status())[0]!.pid!
      for await (const line of local.logs({ follow: true, signal: abort.signal })) {
        followed.push(line)
        if (line.endsWith('three')) process.kill(pid, 'SIGUSR2')
        if (line.endsWith('four')) abort.abort()
      }
      expect(followed).toEqual(['app | two', 'app | three', 'app | four'])
    }))
})
