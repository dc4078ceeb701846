import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { rules } from '../src/rules/index.ts'
import { makeCertificate, type Pem } from './certificates.ts'
import { checkSite } from './serve-site.ts'

const folder = mkdtempSync(join(tmpdir(), 'havn-check-tls-'))
const bundled = getCACertificates()
afterAll(() => {
  setDefaultCACertificates(bundled)
  rmSync(folder, { recursive: true })
})
const here = { names: 'IP:127.0.0.1' }
const authority = makeCertificate(folder, 'authority', { names: 'DNS:authority.test' })
const good = makeCertificate(folder, 'good', { ...here, authority: authority.files })
setDefaultCACertificates([...bundled, authority.cert.toString()])

const tlsRules = rules.filter(({ needs }) => Object.keys(needs).join() === 'siteTls').map(({ id }) => id)

async function found(pem: Pem, options: ServerOptions = {}, isHttp2 = true): Promise<string[]> {
  const all = { cert: pem.cert, key: pem.key, ...options }
  const answer = (_: unknown, response: { end(text: string): unknown }) => void response.end('hi')
  const server = isHttp2
    ? createSecureServer({ ...all, allowHTTP1: true }, answer)
    : createServer(all, answer)
  server.on('tlsClientError', () => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const { found: seen, errored } = await checkSite(new URL(`https://127.0.0.1:${port}`), { only: tlsRules })
  expect(errored).toEqual([])
  return seen
}

describe('TLS of real servers', () => {
  const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const

  test('nothing is found where nothing is wrong', async () => expect(await found(good)).toEqual([]))

  test('HTTP/1.1 alone', async () => expect(await found(good, {}, false)).toEqual(['http.http2-missing']))

  test('TLS 1.0 and 1.1', async () => {
    expect(await found(good, old)).toEqual(['http.tls-old'])
    expect(await found(good, { ...old, minVersion: 'TLSv1.1' })).toEqual(['http.tls-old'])
    expect(await found(good, { ...old, maxVersion: 'TLSv1' }, false)).toEqual([
      'http.http2-missing',
      'http.tls-old',
    ])
  })

  test('no encryption, and no forward secrecy', async () => {
    const rsa = makeCertificate(folder, 'rsa', { ...here, key: 'rsa:2048', authority: authority.files })
    const ciphers = 'NULL-SHA256:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0'
    expect(await found(rsa, { ciphers, maxVersion: 'TLSv1.2' })).toEqual(['http.cipher-broken'])
    const fixed = 'AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256'
    expect(await found(rsa, { ciphers: fixed })).toEqual(['http.forward-secrecy'])
  })

  test('certificates: of another name, over, soon over, self-signed, weak', async () => {
    const make = (name: string, options: object) =>
      makeCertificate(folder, name, { ...here, authority: authority.files, ...options })
    expect(await found(make('other', { names: 'DNS:other.test' }))).toEqual(['http.certificate-name'])
    expect(await found(make('self', { authority: undefined }))).toEqual(['http.certificate-untrusted'])
    expect(await found(make('over', { authority: undefined, days: -1 }))).toContain('http.certificate-expiry')
    const weak = make('weak', { key: 'rsa:1024' })
    expect(await found(weak, { ciphers: 'DEFAULT@SECLEVEL=0' })).toContain('http.certificate-weak')
    const sha1 = make('sha1', { digest: 'sha1' })
    expect(await found(sha1, { ciphers: 'DEFAULT@SECLEVEL=0' })).toContain('http.certificate-weak')
  })

  test('the way from plain HTTP, where both ports are the site’s', async () => {
    const plain = await import('./serve-site.ts').then(({ serveSite, page }) =>
      serveSite((request) =>
        /x-forwarded-proto: https/i.test(request)
          ? page('hi')
          : page('', 'Location: https://127.0.0.1/\r\n', '301 Moved Permanently'),
      ),
    )
    const server = createServer({ cert: good.cert, key: good.key }, (_, response) => {
      response.setHeader('Strict-Transport-Security', 'max-age=60')
      response.setHeader('Content-Type', 'text/html')
      response.end('<script src="http://127.0.0.1/a.js"></script>')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const only = rules.map(({ id }) => id).filter((id) => /hsts|https-|forwarded-proto|mixed/.test(id))
    const url = new URL(`https://127.0.0.1:${port}`)
    const ports = { plain: plain.port, secure: port }
    expect((await checkSite(url, { only, ports })).found).toEqual([
      'http.forwarded-proto',
      'http.hsts-short',
      'http.hsts-subdomains',
      'http.mixed-content',
    ])
    // Nobody on the plain port is as good as a redirect.
    expect(
      (await checkSite(url, { only: ['http.https-missing'], ports: { ...ports, plain: 1 } })).found,
    ).toEqual([])
  })
})
