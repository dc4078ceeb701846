import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PythonProject } from '@havn/model'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { EnvironmentEvent, EnvironmentInput } from './environment-input.ts'
import { preparePythonEnvironment } from './prepare-python-environment.ts'

const wheel = 'harbour-1.0-py3-none-any.whl'
// Making a real environment takes as long as the machine has other work.
vi.setConfig({ testTimeout: 180_000 })

let root: string
let events: EnvironmentEvent[]

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'havn-environment-')))
  events = []
})
afterEach(() => rm(root, { recursive: true, force: true }))

const withRequirements: PythonProject = { language: 'python', manager: 'pip', files: ['requirements.txt'] }
const without: PythonProject = { language: 'python', manager: 'none', files: [] }

function prepare(options: Partial<EnvironmentInput<PythonProject>> = {}) {
  return preparePythonEnvironment({
    root,
    project: withRequirements,
    env: machine(),
    extraRequirements: [],
    install: true,
    onEvent: (event) => events.push(event),
    signal: new AbortController().signal,
    ...options,
  })
}

/** This machine's variables, without an environment that happens to be active. */
function machine(): Record<string, string> {
  const { VIRTUAL_ENV: _, ...env } = process.env
  return env as Record<string, string>
}

function steps(): string[] {
  const seen = events.splice(0).filter(({ type }) => type !== 'job.output')
  return seen.map(({ type, job }) => `${job} ${type.replace('job.', '')}`)
}

/** A real wheel with one module, so that pip needs no network. */
async function writeWheel(): Promise<void> {
  const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("harbour.py", "depth = 12\\n")
    wheel.writestr("harbour-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: harbour\\nVersion: 1.0\\n")
    wheel.writestr("harbour-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr("harbour-1.0.dist-info/RECORD", "")
`
  execFileSync('python3', ['-c', script, join(root, wheel)])
}

const require = (text: string) => writeFile(join(root, 'requirements.txt'), text)
const importsHarbour = (python: string) =>
  execFileSync(python, ['-c', 'import harbour; print(harbour.depth)'], { encoding: 'utf8' }).trim() === '12'
/** Without pip it is made in an instant. */
const makeVenv = (path: string, ...options: string[]) =>
  execFileSync('python3', ['-m', 'venv', ...options, path])

describe('an app without an environment', () => {
  it('gets one of its own, once', async () => {
    await writeWheel()
    await require(`./${wheel}\n`)

    const runtime = await prepare()
    expect(steps()).toEqual([
      'environment started',
      'environment finished',
      'requirements started',
      'requirements finished',
    ])
    expect(runtime.interpreter).toBe(join(root, '.platform/venv/bin/python'))
    expect(runtime.version).toMatch(/^3\.\d+\.\d+$/)
    expect(runtime.env['VIRTUAL_ENV']).toBe(join(root, '.platform/venv'))
    expect(runtime.env['PATH']?.startsWith(join(root, '.platform/venv/bin:'))).toBe(true)
    expect(importsHarbour(runtime.interpreter)).toBe(true)
    expect(await readFile(join(root, '.platform/.gitignore'), 'utf8')).toBe('*\n')

    await prepare()
    expect(steps()).toEqual(['requirements skipped'])

    // An included file counts as well, and `serve` uses what is there.
    await writeFile(join(root, 'more.txt'), '')
    await require(`./${wheel}\n-r more.txt\n`)
    await prepare()
    expect(steps()).toEqual(['requirements started', 'requirements finished'])
    await writeFile(join(root, 'more.txt'), '# changed\n')
    const found = await prepare({ install: false })
    expect(found.interpreter).toBe(runtime.interpreter)
    expect(steps()).toEqual([])
    await prepare()
    expect(steps()).toEqual(['requirements started', 'requirements finished'])

    // Its scripts name their interpreter by its path: it does not survive a move of the folder.
    const moved = `${root}-moved`
    await rename(root, moved)
    root = moved
    expect((await prepare()).interpreter).toBe(join(moved, '.platform/venv/bin/python'))
    expect(steps()[0]).toBe('environment started')
  })

  it("fails with pip's own words, and tries again", async () => {
    await require('lost @ file:///no/such/lost-1.0-py3-none-any.whl\n')
    const failure = await prepare().catch((error) => error)
    expect(failure.code).toBe('HAVN_ERR_REQUIREMENTS_INSTALL')
    expect(failure.detail).toContain('no/such/lost-1.0')
    expect(steps().at(-1)).toBe('requirements failed')

    await require('')
    await prepare()
    expect(steps()).toEqual(['requirements started', 'requirements finished'])
  })

  it('does not take an interrupted installation as finished', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      await require(`harbour @ http://127.0.0.1:${port}/${wheel}\n`)
      const controller = new AbortController()
      const reason = new Error('stopped by the user')
      server.once('request', () => controller.abort(reason))
      await expect(prepare({ signal: controller.signal })).rejects.toBe(reason)
    } finally {
      server.closeAllConnections()
      server.close()
    }
    steps()
    await writeWheel()
    await require(`./${wheel}\n`)
    const runtime = await prepare()
    expect(steps()).toEqual(['requirements started', 'requirements finished'])
    expect(importsHarbour(runtime.interpreter)).toBe(true)
  })

  it('needs none when it has no requirements', async () => {
    const runtime = await prepare({ project: without })
    expect(runtime.interpreter).not.toContain(root)
    expect(runtime.env['VIRTUAL_ENV']).toBeUndefined()
    expect(steps()).toEqual([])
  })

  it('gets one for what the server needs', async () => {
    await writeWheel()
    const extraRequirements = [`harbour @ file://${join(root, wheel)}`]
    const runtime = await prepare({ project: without, extraRequirements })
    expect(importsHarbour(runtime.interpreter)).toBe(true)
    const made = await readFile(join(root, '.platform/venv/pyvenv.cfg'), 'utf8')
    expect(made).toContain('include-system-site-packages = true')
  })
})

describe('an environment that is there', () => {
  it('is used as it is when it was named', async () => {
    const venv = join(root, 'mine')
    makeVenv(venv, '--without-pip')
    await require('harbour\n')
    const runtime = await prepare({ python: 'mine/bin/python' })
    expect(runtime.interpreter).toBe(join(venv, 'bin/python'))
    expect((await prepare({ python: venv })).interpreter).toBe(join(venv, 'bin/python'))
    expect(steps()).toEqual(['requirements skipped', 'requirements skipped'])

    const failure = await prepare({ python: venv, extraRequirements: ['gunicorn>=23'] }).catch(
      (error) => error,
    )
    expect(failure.code).toBe('HAVN_ERR_PYTHON_PACKAGES_MISSING')
    expect(failure.message).toContain('gunicorn>=23')
  })

  it('is used as it is when it is active', async () => {
    const venv = join(root, 'active')
    makeVenv(venv, '--without-pip')
    await require('harbour\n')
    const runtime = await prepare({ env: { ...machine(), VIRTUAL_ENV: venv } })
    expect(runtime.interpreter).toBe(join(venv, 'bin/python'))
    expect(steps()).toEqual(['requirements skipped'])
  })

  it('gets what the requirements name when it lies in the tree', async () => {
    makeVenv(join(root, '.venv'))
    await writeWheel()
    await require(`./${wheel}\n`)
    const runtime = await prepare()
    expect(runtime.interpreter).toBe(join(root, '.venv/bin/python'))
    expect(steps()).toEqual(['requirements started', 'requirements finished'])
    expect(importsHarbour(runtime.interpreter)).toBe(true)
    expect(await readdir(join(root, '.platform'))).toEqual(['.gitignore'])
  })

  it('gets them from outside when it has no pip of its own', async () => {
    makeVenv(join(root, '.venv'), '--without-pip')
    await writeWheel()
    await require(`./${wheel}\n`)
    const runtime = await prepare()
    expect(importsHarbour(runtime.interpreter)).toBe(true)
  })
})

describe('without installing', () => {
  it('says what is missing and changes nothing', async () => {
    await require('havn-no-such-package>=2  # why\nother; sys_platform == "win32"\n-r more.txt\n')
    const failure = await prepare({ install: false }).catch((error) => error)
    expect(failure.code).toBe('HAVN_ERR_REQUIREMENTS_MISSING')
    expect(failure.message).toContain('havn-no-such-package>=2')
    expect(failure.message).not.toContain('other')
    expect(await readdir(root)).toEqual(['requirements.txt'])
  })
})

describe('Python itself', () => {
  it('is missing: the error lists what was tried', async () => {
    await mkdir(join(root, 'bin'))
    const env = { PATH: join(root, 'bin'), VIRTUAL_ENV: '/no/such/venv' }
    const failure = await prepare({ env }).catch((error) => error)
    expect(failure.code).toBe('HAVN_ERR_PYTHON_MISSING')
    expect(failure.message).toContain('/no/such/venv/bin/python (VIRTUAL_ENV)')
    expect(failure.message).toContain('python3 (not on the PATH)')
    expect((await prepare({ python: './none' }).catch((error) => error)).code).toBe('HAVN_ERR_PYTHON_MISSING')
  })

  it('is too old: the error says what there is and what the app needs', async () => {
    const failure = await prepare({ project: { ...withRequirements, requiresPython: '>=99' } }).catch(
      (error) => error,
    )
    expect(failure.code).toBe('HAVN_ERR_PYTHON_TOO_OLD')
    expect(failure.message).toMatch(/needs Python >=99, and there is 3\.\d+\.\d+ \(\//)
  })
})
