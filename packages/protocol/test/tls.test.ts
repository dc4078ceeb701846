import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { asgiToNode, validateAsgi, type HttpScope } from '../src/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'havn-protocol-'))
afterAll(() => rmSync(directory, { recursive: true }))
const missing = spawnSync('openssl', ['version']).error !== undefined

test.skipIf(missing && process.env.CI !== 'true')(
  'the tls extension tells of both certificates (needs openssl)',
  async () => {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    const subject = ['-subj', '/C=DK/O=A, B/CN=localhost', '-days', '1']
    spawnSync('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      ...subject,
    ])
    const pem = { key: readFileSync(key), cert: readFileSync(cert) }
    const scopes: HttpScope[] = []
    const app = validateAsgi(async (scope, _receive, send) => {
      scopes.push(scope as HttpScope)
      await send({ type: 'http.response.start', status: 200 })
      await send({ type: 'http.response.body' })
    })
    const { onRequest } = asgiToNode(app)
    const server = createServer({ ...pem, requestCert: true, rejectUnauthorized: false })
    server.on('request', (request, response) => void onRequest(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const ask = (options: object): Promise<void> =>
      new Promise((resolve, reject) => {
        const client = request({
          port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          agent: false,
          ...options,
        })
        client
          .on('response', (response) => response.resume().on('end', resolve))
          .on('error', reject)
          .end()
      })
    try {
      await ask(pem)
      await ask({ maxVersion: 'TLSv1.2' })
    } finally {
      server.closeAllConnections()
      server.close()
    }
    const [mutual, plain] = scopes.map((scope) => scope.extensions!.tls!)
    expect(scopes[0]!.scheme).toBe('https')
    expect(mutual).toMatchObject({ tls_version: 0x0304, client_cert_name: 'CN=localhost,O=A\\, B,C=DK' })
    expect(mutual!.server_cert).toMatch(/^-----BEGIN CERTIFICATE-----/)
    expect([...mutual!.client_cert_chain!]).toEqual([mutual!.server_cert])
    expect(mutual!.client_cert_error).toMatch(/SELF_SIGNED/)
    expect(mutual!.cipher_suite).toBeGreaterThan(0x1300)
    expect(plain).toMatchObject({ tls_version: 0x0303, client_cert_name: null, client_cert_error: null })
    expect(plain!.cipher_suite).toBeGreaterThan(0)
  },
)
