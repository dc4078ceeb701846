import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ensurePython } from '@havn/tools/parts'
import { refusedRequests } from '../../packages/http/test/refused-requests.ts'
import { freePort, startPlatform, startProgram } from '../src/index.ts'
import type { RunningProgram } from '../src/index.ts'
import { readAnswers } from './agreement/read-answers.ts'

/** What an app saw: method, path, query, Host, body. */
type Seen = [method: string, path: string, query: string, host: string, body: string]

const before = 'GET /before HTTP/1.1\r\nHost: a.test\r\n\r\n'
const after = 'GET /after HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'
const seenBefore: Seen = ['GET', '/before', '', 'a.test', '']
const seenAfter: Seen = ['GET', '/after', '', 'a.test', '']
const post = (headers: string, body: string) => `POST /x HTTP/1.1\r\nHost: a.test\r\n${headers}\r\n${body}`
const get = (target: string, headers = 'Host: a.test\r\n') => `GET ${target} HTTP/1.1\r\n${headers}\r\n`
const chunked = 'Transfer-Encoding: chunked\r\n'

/** What goes through: a name, the bytes, and what the app must see. */
const servedRequests: [name: string, bytes: string, seen: Seen][] = [
  ['a body by length', post('Content-Length: 3\r\n', 'abc'), ['POST', '/x', '', 'a.test', 'abc']],
  ['no body', post('Content-Length: 0\r\n', ''), ['POST', '/x', '', 'a.test', '']],
  ['a length with zeros', post('Content-Length: 0003\r\n', 'abc'), ['POST', '/x', '', 'a.test', 'abc']],
  ['chunks', post(chunked, '1\r\na\r\n2\r\nbc\r\n0\r\n\r\n'), ['POST', '/x', '', 'a.test', 'abc']],
  [
    'a chunk that looks like a request',
    post(chunked, `${after.length.toString(16)}\r\n${after}\r\n0\r\n\r\n`),
    ['POST', '/x', '', 'a.test', after],
  ],
  [
    'a body that looks like a request',
    post(`Content-Length: ${after.length}\r\n`, after),
    ['POST', '/x', '', 'a.test', after],
  ],
  [
    'chunk sizes with zeros and capitals',
    post(chunked, '000A\r\n0123456789\r\n0\r\n\r\n'),
    ['POST', '/x', '', 'a.test', '0123456789'],
  ],
  [
    'chunk extensions',
    post(chunked, '3;a=b;c="d"\r\nabc\r\n0;e\r\n\r\n'),
    ['POST', '/x', '', 'a.test', 'abc'],
  ],
  [
    'trailers',
    post(chunked, '3\r\nabc\r\n0\r\nX-A: 9\r\nHost: b.test\r\n\r\n'),
    ['POST', '/x', '', 'a.test', 'abc'],
  ],
  [
    'Transfer-Encoding in capitals',
    post('TRANSFER-ENCODING: CHUNKED\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    ['POST', '/x', '', 'a.test', 'abc'],
  ],
  [
    'GET with a body',
    get('/x', 'Host: a.test\r\nContent-Length: 3\r\n') + 'abc',
    ['GET', '/x', '', 'a.test', 'abc'],
  ],
  [
    'GET with chunks',
    get('/x', `Host: a.test\r\n${chunked}`) + '3\r\nabc\r\n0\r\n\r\n',
    ['GET', '/x', '', 'a.test', 'abc'],
  ],
  ['absolute-form', get('http://b.test:81/x?y'), ['GET', '/x', 'y', 'b.test:81', '']],
  ['absolute-form with https', get('https://b.test/x'), ['GET', '/x', '', 'b.test', '']],
  ['a path that begins with two slashes', get('//evil.test/x'), ['GET', '//evil.test/x', '', 'a.test', '']],
  ['dot segments', get('/a/./b/%2e%2E/c?d=../e'), ['GET', '/a/c', 'd=../e', 'a.test', '']],
  ['raw bytes beyond ASCII', get('/caf\xc3\xa9'), ['GET', '/caf\xc3\xa9', '', 'a.test', '']],
  ['a leading CRLF', '\r\n' + get('/x'), ['GET', '/x', '', 'a.test', '']],
  ['a Host with a port', get('/x', 'Host: a.test:8080\r\n'), ['GET', '/x', '', 'a.test:8080', '']],
  [
    'underscores that would collide',
    get('/x', 'Host: a.test\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nHTTP_HOST: b.test\r\n'),
    ['GET', '/x', '', 'a.test', ''],
  ],
  [
    'Host, nominated by Connection',
    get('/x', 'Host: a.test\r\nConnection: Host, Content-Length\r\n'),
    ['GET', '/x', '', 'a.test', ''],
  ],
  [
    'X-Forwarded-Host and Forwarded of anyone',
    get('/x', 'Host: a.test\r\nX-Forwarded-Host: b.test\r\nForwarded: host=c.test\r\n'),
    ['GET', '/x', '', 'a.test', ''],
  ],
  [
    'h2c',
    get(
      '/x',
      'Host: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n',
    ),
    ['GET', '/x', '', 'a.test', ''],
  ],
  [
    'method overrides',
    get('/x', 'Host: a.test\r\nX-HTTP-Method-Override: DELETE\r\n'),
    ['GET', '/x', '', 'a.test', ''],
  ],
]

/** Who stands before the app, and what answers behind it: nothing that they read differently may pass. */
const ways = [
  ['platform proxy, gunicorn', startGunicorn],
  ['platform proxy, uvicorn', startUvicorn],
  ['platform proxy, gateway', startGateway],
  ['edge in the gateway', null],
] as const

describe.each(ways)('%s', (_name, startUpstream) => {
  const directory = mkdtempSync(join(tmpdir(), 'havn-agreement-'))
  const seenFile = join(directory, 'seen')
  const programs: RunningProgram[] = []
  let port = 0

  beforeAll(async () => {
    const python = await ensurePython(['gunicorn', 'uvicorn'])
    writeFileSync(join(directory, 'app.py'), readFileSync(join(import.meta.dirname, 'agreement/app.py')))
    port = await freePort()
    const env = { SEEN: seenFile }
    const upstreamPort = await freePort()
    if (startUpstream !== null)
      programs.push(await startUpstream({ python, directory, env, port: upstreamPort }))
    const door = ['--bind', `127.0.0.1:${port}`, '--no-access-log']
    const program =
      startUpstream === null
        ? startPlatform(['up', '.', ...door], { cwd: writeConfig(directory, python), env })
        : startPlatform(['proxy', '--upstream', `127.0.0.1:${upstreamPort}`, ...door], { cwd: directory })
    programs.push(program)
    await program.waitFor(startUpstream === null ? /Ctrl-C stops it/ : / on http:\S+/)
  }, 120_000)

  afterAll(async () => {
    for (const program of programs.reverse()) await program.dispose()
    rmSync(directory, { recursive: true })
  })

  beforeEach(() => writeFileSync(seenFile, ''))

  const seen = () =>
    readFileSync(seenFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Seen)

  test.each(refusedRequests)('refused: %s', async (_case, bytes, status) => {
    expect(await readAnswers(port, before + bytes + after)).toEqual([200, status])
    expect(seen()).toEqual([seenBefore])
  })

  test.each(servedRequests)('served: %s', async (_case, bytes, request) => {
    expect(await readAnswers(port, before + bytes + after)).toEqual([200, 200, 200])
    expect(seen()).toEqual([seenBefore, request, seenAfter])
  })
})

interface UpstreamInput {
  python: string
  directory: string
  env: Record<string, string>
  port: number
}

async function startGunicorn({ python, directory, env, port }: UpstreamInput): Promise<RunningProgram> {
  const args = ['-b', `127.0.0.1:${port}`, '-k', 'gthread', '--threads', '4', 'app:wsgi']
  const program = startProgram(join(dirname(python), 'gunicorn'), args, { cwd: directory, env })
  await program.waitFor(/Booting worker/)
  return program
}

async function startUvicorn({ python, directory, env, port }: UpstreamInput): Promise<RunningProgram> {
  const args = ['--host', '127.0.0.1', '--port', String(port), 'app:asgi']
  const program = startProgram(join(dirname(python), 'uvicorn'), args, { cwd: directory, env })
  await program.waitFor(/Uvicorn running/)
  return program
}

async function startGateway({ python, directory, env, port }: UpstreamInput): Promise<RunningProgram> {
  const bind = ['--bind', `127.0.0.1:${port}`, '--no-access-log']
  const program = startPlatform(['serve', 'app:wsgi', '--python', python, ...bind], { cwd: directory, env })
  await program.waitFor(/ on http:\S+/)
  return program
}

/** An edge that has something to do with every request. */
function writeConfig(directory: string, python: string): string {
  const config = {
    app: { entry: 'app:wsgi', interface: 'wsgi', python, healthPath: '/health' },
    edge: { security: { profile: 'basic' } },
  }
  writeFileSync(join(directory, 'platform.config.json'), JSON.stringify(config))
  return directory
}
