import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCertificate } from '@havn/http'
import type { CertificateSource } from '@havn/plugin-api'
import { createLogger } from '@havn/telemetry'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { makeCertificate } from '../../../http/test/make-certificate.ts'
import { gatewayTlsSchema } from '../config/tls-config.ts'
import { TlsKeeper } from './tls-keeper.ts'

const DAY_MS = 86_400_000
const folder = mkdtempSync(join(tmpdir(), 'havn-tls-keeper-'))
afterAll(() => rmSync(folder, { recursive: true }))
const one = makeCertificate(folder, ['one.test'])
const other = makeCertificate(folder, ['other.test'])
afterEach(() => void vi.useRealTimers())

/** A keeper of what somebody else gives, as an ACME client would. */
async function open() {
  let current = one
  let tell = () => {}
  const source: CertificateSource = {
    read: async () => [readCertificate(current)],
    watch(onChange) {
      tell = onChange
      return () => void (tell = () => {})
    },
  }
  const lines: string[] = []
  const logger = createLogger({
    name: 'supervisor',
    level: 'info',
    format: 'json',
    destination: { write: (line: string) => void lines.push(line) },
  })
  const config = gatewayTlsSchema.parse({ certificates: [one] })
  const keeper = await TlsKeeper.open({ config, source, logger })
  const give = (files: { cert: string; key: string }) => {
    current = files
    tell()
  }
  return { keeper, give, lines }
}

test('what a source says that has changed is checked and told of', async () => {
  const { keeper, give, lines } = await open()
  const changes: string[] = []
  keeper.watch(({ certificates }) => changes.push(certificates[0].cert))
  give({ ...other, key: one.key })
  await vi.waitFor(() => expect(lines.join('')).toContain('HAVN_ERR_HTTP_TLS_KEY'))
  expect(keeper.material.certificates[0].cert).toBe(one.cert)
  give(other)
  await vi.waitFor(() => expect(changes).toEqual([other.cert]))
  give(other)
  await keeper.close()
  give(one)
  await new Promise(setImmediate)
  expect(changes).toEqual([other.cert])
})

test('ticket keys are new in time, and nowhere in the log', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const { keeper, lines } = await open()
  const keys = [keeper.material.ticketKeys]
  keeper.watch(({ ticketKeys }) => keys.push(ticketKeys))
  vi.advanceTimersByTime(DAY_MS)
  expect(new Set(keys).size).toBe(3)
  for (const key of keys) {
    expect(Buffer.from(key, 'base64')).toHaveLength(48)
    expect(lines.join('')).not.toContain(key)
  }
  await keeper.close()
  vi.advanceTimersByTime(DAY_MS)
  expect(keys).toHaveLength(3)
})

test('a certificate that nobody has renewed is told of each day', async () => {
  const { keeper, lines } = await open()
  // Its time is two days.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
  keeper.watch(() => {})
  const reminders = () => lines.filter((line) => line.includes('certificate.expires'))
  expect(reminders()).toHaveLength(0)
  vi.advanceTimersByTime(DAY_MS)
  expect(reminders()).toHaveLength(0)
  vi.setSystemTime(Date.now() + 0.9 * DAY_MS)
  vi.advanceTimersByTime(DAY_MS)
  expect(reminders()[0]).toContain('has expired')
  expect(reminders()[0]).toContain(one.cert)
  await keeper.close()
})

test('one that is about to expire is told of at once', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'], now: Date.now() + 1.8 * DAY_MS })
  const { keeper, lines } = await open()
  keeper.watch(() => {})
  expect(lines.join('')).toMatch(/certificate\.expires.*expires soon/)
  await keeper.close()
})
