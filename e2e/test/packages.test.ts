import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ensureNode, findPython, requirePart, startOtlpReceiver } from '@havn/tools/parts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createPackingDirectory,
  freePort,
  installProject,
  packFolder,
  packPackages,
  publishableNames,
  processesOfGroup,
  shellEnvironment,
  startProgram,
  type FinishedProgram,
  type PackedPackage,
  type RunningProgram,
} from '../src/index.ts'

const workspace = resolve(import.meta.dirname, '../..')
const typescript = join(workspace, 'node_modules/typescript/bin/tsc')

/** Versions of what is not ours, as this workspace has them. */
const versions = await installedVersions(['@types/node', '@types/ws', 'pino', 'ws', 'zod'])
const oldestNode = await requirePart('Node 22.19', () => ensureNode('22.19.0'))

let packing: Awaited<ReturnType<typeof createPackingDirectory>>
let packages: PackedPackage[]
const running = new Set<RunningProgram>()

beforeAll(async () => {
  packing = await createPackingDirectory()
  packages = await packPackages(packing.directory)
})

afterAll(async () => {
  for (const program of running) await program.dispose()
  await packing?.remove()
})

describe('what is packed', () => {
  test.each(publishableNames())('%s', async (name) => {
    const packed = packages.find((candidate) => candidate.name === name)!
    const files = await readdir(packed.dist, { recursive: true })
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'src/index.js']))
    expect(
      files.filter((file) => /\.test\.|(^|\/)fixtures(\/|$)|__pycache__|\.pyc$|\.tsbuildinfo$/.test(file)),
    ).toEqual([])
    expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([])
    for (const asset of ['bin', 'python', 'schema']) {
      const original = await pythonless(join(packed.source, asset))
      expect(files.filter((file) => file.startsWith(`${asset}/`)).sort()).toEqual(
        original.map((file) => `${asset}/${file}`).sort(),
      )
    }
    for (const key of ['scripts', 'nx', 'devDependencies', 'private']) {
      expect(packed.manifest).not.toHaveProperty(key)
    }
    const named = Object.values(packed.manifest.exports).flatMap(({ types, default: code }) => [types, code])
    const entries = packed.manifest.havn?.plugins.map(({ entry }) => entry) ?? []
    for (const path of [...named, ...entries]) expect(files).toContain(path.replace(/^\.\//, ''))
  })
})

describe('@havn/platform, installed', () => {
  let project: string
  beforeAll(async () => {
    project = await installProject(packing.directory, packages, { '@havn/platform': '*' })
    await writeApps(project)
  })

  test('nothing of ours comes from a registry', async () => {
    const lock = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { resolved?: string }>
    }
    const ours = Object.entries(lock.packages).filter(([path]) => path.includes('/@havn/'))
    expect(ours.length).toBeGreaterThan(10)
    for (const [path, { resolved }] of ours) expect(resolved, path).toMatch(/^file:/)
  })

  test('platform --version', async () => {
    const { code, stdout, stderr } = await run('npx', ['--no-install', 'platform', '--version'], project)
    // npx has words of its own where it dislikes something in the user's .npmrc.
    const words = stderr.split('\n').filter((line) => !line.startsWith('npm '))
    expect({ code, words }).toEqual({ code: 0, words: [''] })
    expect(stdout.trim()).toBe(versionOf('@havn/platform'))
  })

  test('platform plugins', async () => {
    const { code, stdout } = await run('npx', ['--no-install', 'platform', 'plugins'], project)
    expect(code).toBe(0)
    for (const id of [
      'framework.django',
      'server.gateway',
      'server.gunicorn',
      'proxy.edge',
      'monitor.otlp',
    ]) {
      expect(stdout).toContain(id)
    }
  })

  test.each([
    ['hello:application', ['--interface', 'wsgi']],
    ['./hello.mjs', []],
    ['./hello.ts', []],
  ])('platform serve %s', async (entry, more) => {
    const command = join(project, 'node_modules/.bin/platform')
    await servesHello(command, ['serve', entry, ...more], project)
  })

  test('traces each request over OTLP', async () => {
    const receiver = await startOtlpReceiver()
    try {
      const command = join(project, 'node_modules/.bin/platform')
      await servesHello(command, ['serve', './hello.mjs'], project, {
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
      })
      expect((await receiver.spans()).map(({ kind, name }) => `${kind} ${name}`)).toEqual(['SERVER GET'])
    } finally {
      await receiver.close()
    }
  })

  test('the edge in front of another server', async () => {
    const app = join(project, 'other')
    await mkdir(app)
    await writeFile(
      join(app, 'server.mjs'),
      "import { createServer } from 'node:http'\n" +
        "createServer((_request, response) => response.end('Hello, World!\\n')).listen(process.env.PORT, '127.0.0.1')\n",
    )
    await writeFile(join(app, 'app.mjs'), "export default { fetch: () => new Response('not this one') }\n")
    await writeFile(join(app, 'package.json'), '{ "private": true, "type": "module", "main": "app.mjs" }\n')
    await writeFile(
      join(app, 'platform.config.json'),
      JSON.stringify({ server: { id: 'server.command', config: { command: ['node', 'server.mjs'] } } }),
    )
    await servesHello(join(project, 'node_modules/.bin/platform'), ['up'], app)
  })

  test('a plugin of somebody else', async () => {
    const { tarball, eventsFile } = await packThirdPartyPlugin()
    const app = await installProject(packing.directory, packages, {
      '@havn/platform': '*',
      'acme-havn-journal': `file:${tarball}`,
      zod: versions['zod']!,
    })
    await writeFile(
      join(app, 'app.mjs'),
      "export default { fetch: () => new Response('Hello, World!\\n') }\n",
    )
    await writeFile(join(app, 'platform.config.toml'), `monitors = ["journal"]\n`)

    const { code, stdout } = await run('npx', ['--no-install', 'platform', 'plugins'], app)
    expect(code).toBe(0)
    expect(stdout).toMatch(/monitor\.journal.*acme-havn-journal/)

    await servesHello(join(app, 'node_modules/.bin/platform'), ['up'], app)
    const [journal] = (await readdir(app, { recursive: true })).filter((file) => file.endsWith(eventsFile))
    expect(journal).toBeDefined()
    expect(await readFile(join(app, journal!), 'utf8')).toMatch(/"type":/)
  })
})

describe('declarations', () => {
  test('a strict TypeScript program compiles against every package', async () => {
    const names = Object.fromEntries(packages.map(({ name }) => [name, '*']))
    const project = await installProject(packing.directory, packages, {
      ...names,
      '@types/node': versions['@types/node']!,
    })
    const specifiers = packages.flatMap(({ name, manifest }) =>
      Object.keys(manifest.exports).map((path) => name + path.slice(1)),
    )
    const source = specifiers
      .map((specifier, index) => `import type * as m${index} from '${specifier}'\nexport type { m${index} }`)
      .join('\n')
    await compile(project, 'consumer.ts', source + '\n')
  })
})

/** Every TypeScript example of a README runs, except those that name files of the reader's own. */
const examples: Record<string, { more?: string[]; check(example: Example): Promise<void> }> = {
  '@havn/protocol': {
    more: ['ws', '@types/ws'],
    check: async (example) => {
      const program = await example.serve()
      expect(await get(example.port)).toBe('Hello, World!\n')
      program.kill('SIGTERM')
      await program.finished
    },
  },
  '@havn/http': {
    check: async (example) => {
      const program = await example.serve()
      expect(await get(example.port, '/a/./b')).toBe('127.0.0.1 asks for /a/b\n')
      program.kill('SIGTERM')
      await program.finished
    },
  },
  '@havn/gateway': {
    check: async (example) => {
      await mkdir(join(example.files, 'copenhagen'), { recursive: true })
      await writeFile(join(example.files, 'copenhagen/wsgi.py'), wsgiApp)
      const program = await example.serve()
      expect(await get(example.port)).toBe('Hello, World!\n')
      program.kill('SIGTERM')
      expect(await program.finished).toMatchObject({ code: 0 })
      expect(await processesOfGroup(program.pid)).toEqual([])
    },
  },
  '@havn/proxy': {
    more: ['pino'],
    check: async (example) => {
      await mkdir(join(example.files, 'static'), { recursive: true })
      await writeFile(join(example.files, 'static/app.css'), 'body {}\n')
      const program = await example.serve()
      expect(await get(example.port, '/static/app.css')).toBe('body {}\n')
      program.kill('SIGTERM')
      await program.finished
    },
  },
  '@havn/process': {
    check: async (example) => {
      const program = await example.serve()
      expect(await get(example.port)).toContain('Directory listing')
      program.kill('SIGTERM')
      expect(await program.finished).toMatchObject({ code: 0 })
      expect(await processesOfGroup(program.pid)).toEqual([])
    },
  },
  '@havn/telemetry': {
    more: ['@havn/http'],
    check: async (example) => {
      const program = await example.serve()
      expect(JSON.parse(await get(example.port))).toBeTruthy()
      program.kill('SIGTERM')
      const { code, stdout } = await program.finished
      expect(code).toBe(0)
      expect(stdout).toMatch(/"GET"/)
    },
  },
  '@havn/plugin-api': {
    more: ['zod'],
    check: async (example) => {
      const source = `import plugin from './${example.file}'\nconsole.log(plugin.id)\n`
      await writeFile(join(example.project, 'main.ts'), source)
      const { stdout } = await run(process.execPath, ['main.ts'], example.project)
      expect(stdout).toBe('monitor.stderr\n')
    },
  },
  '@havn/registry': {
    more: ['@havn/server-gunicorn'],
    check: async (example) => {
      const { code, stdout, stderr } = await run(process.execPath, [example.file], example.project)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain('server.gunicorn')
      expect(stdout).toContain('[Function: plan]')
    },
  },
  '@havn/checklist': {
    more: ['@havn/model', '@havn/plugin-api'],
    check: async (example) => {
      await writeFile(join(example.project, 'CHANGELOG.md'), '# Shop\n\n## 2.0 (unreleased)\n')
      const { code, stdout } = await run(process.execPath, [example.file], example.project)
      expect(code).toBe(3)
      expect(stdout).toContain('warn CHANGELOG.md:3:8  shop.unreleased')
    },
  },
  '@havn/model': {
    check: async (example) => {
      const { code, stderr } = await run(process.execPath, [example.file], example.project)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    },
  },
}

describe.each(Object.entries(examples))('%s alone', (name, { more = [], check }) => {
  test('the example in its README compiles and runs', async () => {
    const packed = packages.find((candidate) => candidate.name === name)!
    const readme = await readFile(join(packed.dist, 'README.md'), 'utf8')
    const blocks = [...readme.matchAll(/```(?:ts|js)\n([^]*?)```/g)].map((match) => match[1]!)
    const complete = blocks.filter((block) => !/from '\.{1,2}\//.test(block))
    expect(complete.length).toBeGreaterThan(0)

    const wanted = [name, '@types/node', ...more]
    const project = await installProject(
      packing.directory,
      packages,
      Object.fromEntries(wanted.map((wantedName) => [wantedName, versions[wantedName] ?? '*'])),
    )
    for (const [index, block] of complete.entries()) {
      const port = await freePort()
      const file = `example-${index}.ts`
      const files = name === '@havn/registry' ? project : join(project, 'srv')
      const python = await findPython()
      const source = block
        .replaceAll('8000', String(port))
        .replaceAll(/\/srv\/\w+\/\.venv\/bin\/python/g, python)
        .replaceAll(/\/srv\/\w+/g, files)
      await compile(project, file, source)
      await check({
        project,
        file,
        files,
        port,
        serve: async () => {
          const program = start(process.execPath, [file], project)
          await answers(port, program)
          return program
        },
      })
    }
  })
})

describe.skipIf(oldestNode === null)('Node 22.19', () => {
  let project: string
  beforeAll(async () => {
    project = await installProject(packing.directory, packages, { '@havn/platform': '*' })
    await writeApps(project)
  })

  describe.each([
    ['from source', () => join(workspace, 'packages/platform/bin/platform.mjs')],
    ['as installed', () => join(project, 'node_modules/@havn/platform/bin/platform.mjs')],
  ])('%s', (_name, bin) => {
    test('platform --version', async () => {
      const { code, stdout, stderr } = await run(oldestNode!, [bin(), '--version'], project, oldestNode!)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout.trim()).toBe(versionOf('@havn/platform'))
    })

    test.each([
      ['hello:application', ['--interface', 'wsgi']],
      ['./hello.ts', []],
    ])('platform serve %s', async (entry, more) => {
      await servesHello(oldestNode!, [bin(), 'serve', entry, ...more], project, { node: oldestNode! })
    })
  })
})

interface Example {
  project: string
  /** The example's file, relative to the project. */
  file: string
  /** The folder that stands for `/srv/…`. */
  files: string
  port: number
  /** Starts the example and waits until it answers. */
  serve(): Promise<RunningProgram>
}

const wsgiApp = `def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello, World!\\n"]
`

async function writeApps(project: string): Promise<void> {
  await writeFile(join(project, 'hello.py'), wsgiApp)
  const fetchApp = "export default { fetch: () => new Response('Hello, World!\\n') }\n"
  await writeFile(join(project, 'hello.mjs'), fetchApp)
  await writeFile(
    join(project, 'hello.ts'),
    `const greeting: string = 'Hello, World!\\n'
export default { fetch: (_request: Request): Response => new Response(greeting) }
`,
  )
}

/** Serves, asks once, stops; what it prints on stderr holds no warning of Node's. */
async function servesHello(
  command: string,
  args: readonly string[],
  cwd: string,
  options: { env?: Record<string, string>; node?: string } = {},
): Promise<void> {
  const port = await freePort()
  const bind = ['--bind', `127.0.0.1:${port}`]
  const program = start(command, [...args, ...bind], cwd, options.node, options.env)
  await program.waitFor(/Ctrl-C stops it/, 120_000)
  expect(await get(port)).toBe('Hello, World!\n')
  program.kill('SIGTERM')
  expect((await program.finished).code, program.output()).toBe(0)
  expect(program.output()).not.toMatch(/ExperimentalWarning|DeprecationWarning/)
  expect(program.stderr()).not.toMatch(/warning/i)
  expect(await processesOfGroup(program.pid)).toEqual([])
}

/** plugins/reference under other names, as its README says to begin a plugin. */
async function packThirdPartyPlugin(): Promise<{ tarball: string; eventsFile: string }> {
  const reference = packages.find(({ name }) => name === '@havn/reference')!
  const folder = join(packing.directory, 'acme-havn-journal')
  await cp(reference.dist, folder, { recursive: true })
  for (const file of await readdir(folder, { recursive: true })) {
    if (!/\.(js|json|ts|md)$/.test(file)) continue
    const text = await readFile(join(folder, file), 'utf8')
    await writeFile(
      join(folder, file),
      text
        .replaceAll('@havn/reference', 'acme-havn-journal')
        .replaceAll('monitor.events-file', 'monitor.journal'),
    )
  }
  return { tarball: await packFolder(folder, packing.directory), eventsFile: 'events.jsonl' }
}

/** Compiles a file as a consumer with strict settings would; libraries' declarations are checked too. */
async function compile(project: string, file: string, source: string): Promise<void> {
  await writeFile(join(project, file), source)
  const flags = '--strict --noEmit --module nodenext --moduleResolution nodenext --target es2024 --lib es2024'
  const types = ['--types', 'node']
  const { code, stdout } = await run(
    process.execPath,
    [typescript, ...flags.split(' '), ...types, file],
    project,
  )
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
}

function start(
  command: string,
  args: readonly string[],
  cwd: string,
  node?: string,
  env: Record<string, string> = {},
): RunningProgram {
  const dropped = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]))
  const program = startProgram(command, args, { cwd, env: { ...dropped, ...shellEnvironment(node), ...env } })
  running.add(program)
  void program.finished.catch(() => {}).then(() => running.delete(program))
  return program
}

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  node?: string,
): Promise<FinishedProgram> {
  return start(command, args, cwd, node).finished
}

async function answers(port: number, program: RunningProgram): Promise<void> {
  let ended = false
  void program.finished.then(() => (ended = true))
  for (const deadline = Date.now() + 60_000; Date.now() < deadline && !ended;) {
    const ready = await fetch(`http://127.0.0.1:${port}/`).then(
      async (response) => (await response.arrayBuffer(), true),
      () => false,
    )
    if (ready) return
    await new Promise((resume) => setTimeout(resume, 50))
  }
  throw new Error(`it does not answer; it printed:\n${program.output()}`)
}

async function get(port: number, path = '/'): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })
  expect(response.status).toBe(200)
  return response.text()
}

function versionOf(name: string): string {
  return (packages.find((packed: PackedPackage) => packed.name === name) as PackedPackage).manifest.version
}

async function installedVersions(names: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of names) {
    const text = await readFile(join(workspace, 'node_modules', name, 'package.json'), 'utf8')
    found[name] = (JSON.parse(text) as { version: string }).version
  }
  return found
}

async function pythonless(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true }).catch(() => [])
  return files.filter((file) => !file.includes('__pycache__'))
}
