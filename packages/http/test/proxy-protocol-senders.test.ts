import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureDebian, ensureDebianFile, requirePart } from '@havn/tools/parts'
import { expect, onTestFinished, test } from 'vitest'
import { makeCertificate } from './make-certificate.ts'
import { echoOf, exchange, startEcho } from './raw-exchange.ts'

const nginx = await requirePart('nginx with its stream module', async () => ({
  program: await ensureDebian('nginx', 'nginx-light'),
  stream: await ensureDebianFile('/usr/lib/nginx/modules/ngx_stream_module.so', 'libnginx-mod-stream'),
}))
const haproxy = await requirePart('haproxy', () => ensureDebian('haproxy'))

const get = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'
const proxyProtocol = ['127.0.0.1']

test.skipIf(nginx === null)('nginx: a stream with `proxy_protocol on`', async () => {
  await using server = await startEcho({ proxyProtocol })
  const port = await startNginx(portOf(server))
  const answer = await exchangeFrom('127.0.0.9', port)
  expect(answer).toMatchObject({ clientAddress: '127.0.0.9', serverAddress: '127.0.0.1', serverPort: port })
})

test.skipIf(nginx === null)('nginx: a stream that passes TLS on as it is', async () => {
  const folder = temporaryFolder()
  const tls = { certificates: [makeCertificate(folder, ['main.test'])] } as const
  await using server = await startEcho({ proxyProtocol, tls })
  const port = await startNginx(portOf(server))
  // The test's own client speaks TLS to a server that does: here it is nginx that it connects to.
  const address = server.address.bind(server)
  server.address = () => ({ ...(address() as AddressInfo), port })
  expect(echoOf(await exchange(server, get)).target).toMatchObject({ serverPort: port, scheme: 'https' })
})

test.skipIf(haproxy === null).each([
  ['send-proxy', ''],
  ['send-proxy-v2', ''],
  ['send-proxy-v2', 'proxy-v2-options crc32c,unique-id'],
])('haproxy: %s %s', async (option, more) => {
  await using server = await startEcho({ proxyProtocol })
  const port = await startHaproxy(portOf(server), `${option} ${more}`)
  const answer = await exchangeFrom('127.0.0.9', port)
  expect(answer).toMatchObject({ clientAddress: '127.0.0.9', serverAddress: '127.0.0.1', serverPort: port })
})

async function startNginx(upstream: number): Promise<number> {
  const port = await freePort()
  const folder = temporaryFolder()
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `load_module ${nginx!.stream};
daemon off;
pid ${folder}/nginx.pid;
error_log stderr error;
events {}
stream { server { listen 127.0.0.1:${port}; proxy_pass 127.0.0.1:${upstream}; proxy_protocol on; } }
`,
  )
  await startProxy(nginx!.program, ['-c', file, '-p', folder, '-e', 'stderr'], port)
  return port
}

async function startHaproxy(upstream: number, options: string): Promise<number> {
  const port = await freePort()
  const file = join(temporaryFolder(), 'haproxy.cfg')
  writeFileSync(
    file,
    `defaults
  mode tcp
  timeout connect 5s
  timeout client 10s
  timeout server 10s
listen test
  bind 127.0.0.1:${port}
  server one 127.0.0.1:${upstream} ${options}
`,
  )
  await startProxy(haproxy!, ['-db', '-f', file], port)
  return port
}

/** Starts a proxy that ends with the test; returns once it accepts. */
async function startProxy(program: string, args: string[], port: number): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await exited
  })
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const outcome = await Promise.race([
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
      exited.then(() => 'ended'),
    ])
    socket.destroy()
    if (outcome === 'ended') throw new Error(`${program} ended with ${child.exitCode}`)
    if (outcome === true) return
    await sleep(50)
  }
}

/** What the server saw of a request that came from this address of loopback to that port. */
async function exchangeFrom(localAddress: string, port: number): Promise<unknown> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.write(get)
  let text = ''
  for await (const chunk of socket.setEncoding('latin1')) text += chunk
  return JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)).target
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'havn-proxy-protocol-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}
