import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findProgram, requirePart } from '@havn/tools/parts'
import { expect, test } from 'vitest'
import { appsDirectory, startGateway, urlOf } from './lifecycle-setup.ts'

const run = promisify(execFile)
const curl = await requirePart('curl', () => findProgram('curl'))

test.skipIf(curl === null).each(['thread', 'process'] as const)(
  'curl: an app in a %s sees the client that a PROXY protocol header names',
  async (isolation) => {
    const gateway = await startGateway({
      listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
      app: { language: 'node', interface: 'node', target: 'client.ts', directory: appsDirectory },
      isolation,
      proxyProtocol: ['127.0.0.0/8'],
      log: { level: 'silent' },
    })
    const url = urlOf(gateway.addresses)
    const named = await run(curl!, ['-sS', '--haproxy-protocol', '--interface', '127.0.0.9', url])
    expect(named.stdout).toMatch(/^127\.0\.0\.9:\d+$/)
    await expect(run(curl!, ['-sS', url])).rejects.toMatchObject({ stdout: '' })
  },
)
