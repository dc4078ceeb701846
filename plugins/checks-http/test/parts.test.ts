import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensureDebian, ensurePython, requirePart } from '@havn/tools/parts'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startEdge } from '../../../packages/proxy/test/edge-server.ts'
import { rules } from '../src/rules/index.ts'
import { makeCertificate } from './certificates.ts'
import { checkSite } from './serve-site.ts'

const run = promisify(execFile)
const nginx = await requirePart('nginx', () => ensureDebian('nginx', 'nginx-light'))
const python = await requirePart('Django 5.2', () => ensurePython(['Django>=5.2,<5.3']))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'havn-check-parts-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Starts a server, and ends it with the test. */
async function start(program: string, args: readonly string[], port: number, cwd = folder): Promise<void> {
  const child: ChildProcess = spawn(program, args, { cwd, stdio: 'ignore' })
  onTestFinished(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  for (let left = 200; ; left--) {
    const socket = connect(port, '127.0.0.1')
    const isThere = await new Promise((resolve) =>
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false)),
    )
    socket.destroy()
    if (isThere) return
    if (left === 0 || child.exitCode !== null) throw new Error(`${program} does not listen on ${port}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
}

const guessed = new Set(rules.filter(({ confidence }) => confidence === 'possible').map(({ id }) => id))
const noGuess = rules.map(({ id }) => id).filter((id) => !guessed.has(id))

describe.skipIf(nginx === null)('nginx', () => {
  async function serve(name: string, listen: number, server: string): Promise<void> {
    const home = join(folder, name)
    await mkdir(home, { recursive: true })
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (each) => `${each}_temp_path ${home}/t;`,
    )
    const config = `daemon off; master_process off; pid ${home}/pid; error_log ${home}/error.log;
events {}
http { access_log off; ${paths.join(' ')}
  types { text/html html; application/javascript js; }
  ${server} }`
    await writeFile(join(home, 'nginx.conf'), config)
    await start(nginx!, ['-p', home, '-c', join(home, 'nginx.conf')], listen)
  }

  test('configured as badly as one finds it', async () => {
    const root = join(folder, 'site')
    await mkdir(join(root, '.git'), { recursive: true })
    await mkdir(join(root, 'static'))
    await writeFile(join(root, 'index.html'), '<script src="/static/app.js"></script>')
    await writeFile(join(root, '.env'), 'SECRET_KEY=hunter2\n')
    await writeFile(join(root, '.git', 'HEAD'), 'ref: refs/heads/main\n')
    await writeFile(join(root, 'static', 'app.js'), '1')
    const { cert, files } = makeCertificate(folder, 'old', {
      names: 'DNS:other.test',
      key: 'rsa:2048',
      days: -1,
    })
    expect(cert.length).toBeGreaterThan(0)
    const [port, plain] = [await freePort(), await freePort()]
    await serve(
      'bad',
      port,
      `server {
    listen 127.0.0.1:${plain};
    root ${root};
  }
  server {
    listen 127.0.0.1:${port} ssl;
    root ${root};
    ssl_certificate ${files.cert}; ssl_certificate_key ${files.key};
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2; ssl_ciphers ALL:@SECLEVEL=0;
    autoindex on;
    location /static { alias ${root}/static/; }
    location = / { add_header Access-Control-Allow-Origin $http_origin; add_header Access-Control-Allow-Credentials true; add_header X-Host $host; try_files /index.html =404; }
  }`,
    )
    const url = new URL(`https://127.0.0.1:${port}`)
    const { found, errored, used } = await checkSite(url, { only: noGuess, ports: { plain, secure: port } })
    expect(errored).toEqual([])
    expect(used).toBeLessThanOrEqual(60)
    expect(found).toEqual(
      expect.arrayContaining([
        ...['http.certificate-expiry', 'http.certificate-name', 'http.cipher-broken', 'http.cors-reflected'],
        ...['http.csp-missing', 'http.directory-listing', 'http.environment-public', 'http.forward-secrecy'],
        ...[
          'http.frame-missing',
          'http.git-public',
          'http.hsts-missing',
          'http.host-forged',
          'http.http2-missing',
        ],
        ...[
          'http.https-missing',
          'http.nosniff-missing',
          'http.tls-old',
          'http.traversal',
          'http.version-banner',
        ],
        ...['http.assets-uncached', 'http.bare-line-feed'],
      ]),
    )
    // Its parser is strict.
    for (const id of [
      'http.smuggling-lengths',
      'http.smuggling-encoding',
      'http.host-ambiguous',
      'http.debug-page',
    ])
      expect(found).not.toContain(id)
  })
})

describe.skipIf(python === null)('Django’s runserver with DEBUG = True', () => {
  test('is known by its pages and its name', async () => {
    await run(python!, ['-m', 'django', 'startproject', 'shop', folder])
    const port = await freePort()
    await start(python!, ['manage.py', 'runserver', '--noreload', `127.0.0.1:${port}`], port)
    const { found, findings, errored } = await checkSite(new URL(`http://127.0.0.1:${port}`), {
      only: noGuess,
    })
    expect(errored).toEqual([])
    expect(found).toEqual(
      expect.arrayContaining([
        'http.debug-page',
        'http.development-server',
        'http.https-missing',
        'http.version-banner',
      ]),
    )
    const debug = findings.filter(({ rule }) => rule === 'http.debug-page').map(({ message }) => message)
    expect(debug).toContain('Django’s page for DEBUG = True is shown.')
    // ALLOWED_HOSTS refuses the forged one, and its page quotes it: nothing is believed.
    expect(found).not.toContain('http.host-forged')
    for (const id of [
      'http.frame-missing',
      'http.nosniff-missing',
      'http.referrer-missing',
      'http.opener-missing',
    ])
      expect(found).not.toContain(id)
  })
})

test('the edge is found strict, and its headers whole', async () => {
  const body = '<!doctype html><title>Shop</title>'
  const security = { profile: 'strict', contentSecurityPolicy: "default-src 'self'" } as const
  const edge = await startEdge({
    security,
    routes: [
      {
        match: { path: '/', exact: true },
        to: { type: 'respond', status: 200, body, contentType: 'text/html' },
      },
    ],
  })
  onTestFinished(() => edge[Symbol.asyncDispose]())
  const { found, errored } = await checkSite(new URL(`http://127.0.0.1:${edge.port}`), { only: noGuess })
  expect(errored).toEqual([])
  // It is asked without TLS here.
  expect(found).toEqual(['http.https-missing'])
})
