import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { ensureGo } from './go.ts'

const MODULE = 'github.com/letsencrypt/pebble/v2/cmd'
const VERSION = 'v2.10.3'

/**
 * Builds pebble, a real ACME server for tests, and the DNS server that goes with it.
 *
 * @returns the folder of both, for {@link startPebble}.
 */
export function ensurePebble(): Promise<string> {
  return ensureGo(['pebble', 'pebble-challtestsrv'].map((name) => `${MODULE}/${name}@${VERSION}`))
}

/** A running pebble. */
export interface Pebble {
  directoryUrl: string
  /** PEM file of what vouches for its directory. */
  caFile: string
  /** The port that it takes for 80. */
  httpPort: number
  /** Says where a name leads; all others lead to 127.0.0.1. */
  setAddress(name: string, address: string): Promise<void>
  /** Lets DNS fail for a name. */
  setServfail(name: string): Promise<void>
  clearServfail(name: string): Promise<void>
  /** The certificate of the authority that signs. */
  root(): Promise<string>
  output(): string
  /** Orders that it was given so far. */
  orders(): number
  close(): Promise<void>
}

/** How a {@link Pebble} is to be. */
export interface PebbleOptions {
  /** What it asks of accounts (RFC 8555 §7.3.4). */
  externalAccount?: { keyId: string; hmacKey: string }
  /** Of the certificates that it gives; 90 days. */
  validityS?: number
}

/** Starts pebble on free ports of loopback. What takes one of them before pebble does is no reason to fail. */
export async function startPebble(
  programs: string,
  folder: string,
  options: PebbleOptions = {},
): Promise<Pebble> {
  for (let left = 3; ; left--) {
    const pebble = await launch(programs, folder, options).catch((error: Error) => {
      if (left === 1) throw error
      return null
    })
    if (pebble !== null) return pebble
  }
}

async function launch(programs: string, folder: string, options: PebbleOptions): Promise<Pebble> {
  const [port, managementPort, httpPort, dnsPort, dnsManagementPort] = await freePorts(5)
  const { cert, key } = makeDirectoryCertificate(folder)
  const { externalAccount, validityS = 7_776_000 } = options
  const config = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    certificate: cert,
    privateKey: key,
    httpPort,
    tlsPort: 1,
    ocspResponderURL: '',
    externalAccountBindingRequired: externalAccount !== undefined,
    externalAccountMACKeys: externalAccount && { [externalAccount.keyId]: externalAccount.hmacKey },
    domainBlocklist: ['blocked.test'],
    retryAfter: { authz: 1, order: 1 },
    keyAlgorithm: 'ecdsa',
    // One alone: of several, pebble chooses by chance.
    profiles: { plain: { description: 'of tests', validityPeriod: validityS } },
  }
  const file = join(folder, 'pebble.json')
  writeFileSync(file, JSON.stringify({ pebble: config }))
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-doh', '']
  const dns = run(join(programs, 'pebble-challtestsrv'), [
    ...['-dnsserver', `127.0.0.1:${dnsPort}`, '-management', `127.0.0.1:${dnsManagementPort}`],
    ...['-defaultIPv4', '127.0.0.1', '-defaultIPv6', '', ...off],
  ])
  const pebble = run(
    join(programs, 'pebble'),
    ['-config', file, '-strict', '-dnsserver', `127.0.0.1:${dnsPort}`],
    // A nonce is refused now and then (in percent), as servers do; waiting for nothing is left out.
    { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '5', PEBBLE_AUTHZREUSE: '0' },
  )
  const directoryUrl = `https://127.0.0.1:${port}/dir`
  const close = async () => {
    await Promise.all([end(pebble.child), end(dns.child)])
  }
  const ask = (path: string, body: object) =>
    fetch(`http://127.0.0.1:${dnsManagementPort}/${path}`, { method: 'POST', body: JSON.stringify(body) })
  try {
    await until(async () => (await ask('clear-a', { host: 'none.test' })).ok, dns)
    await until(async () => curl(directoryUrl, cert).includes('newOrder'), pebble)
  } catch (error) {
    await close()
    throw error
  }

  return {
    directoryUrl,
    caFile: cert,
    httpPort: httpPort!,
    setAddress: async (host, address) => void (await ask('add-a', { host, addresses: [address] })),
    setServfail: async (host) => void (await ask('set-servfail', { host })),
    clearServfail: async (host) => void (await ask('clear-servfail', { host })),
    root: async () => curl(`https://127.0.0.1:${managementPort}/roots/0`, cert),
    output: pebble.output,
    orders: () => pebble.output().match(/Added order/g)?.length ?? 0,
    close,
  }
}

/** What vouches for the directory's own server. */
function makeDirectoryCertificate(folder: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, 'directory.pem'), join(folder, 'directory.key.pem')]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
      .concat(['-keyout', key, '-out', cert, '-subj', '/CN=pebble', '-days', '2'])
      .concat(['-addext', 'subjectAltName=IP:127.0.0.1']),
    { stdio: 'pipe' },
  )
  return { cert, key }
}

interface Running {
  child: ChildProcess
  output(): string
}

function run(program: string, args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  })
  let text = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (part) => (text += part))
  return { child, output: () => text }
}

async function until(isReady: () => Promise<boolean>, { child, output }: Running): Promise<void> {
  for (let left = 200; left > 0; left--) {
    if (child.exitCode !== null) break
    if (await isReady().catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`a part of pebble did not start:\n${output()}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function curl(url: string, cacert: string): string {
  return execFileSync('curl', ['-fsS', '--noproxy', '*', '--cacert', cacert, url], {
    encoding: 'utf8',
    stdio: 'pipe',
  })
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createTcpServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
