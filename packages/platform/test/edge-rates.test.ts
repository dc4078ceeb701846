import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSupervisor } from '@havn/gateway'
import { edgeModule } from '@havn/proxy'
import { expect, onTestFinished, test } from 'vitest'

const APP = `
import { threadId } from 'node:worker_threads'
export default { fetch: () => new Response(String(threadId)) }
`

test('the threads of a gateway count a rate together', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'havn-rates-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'app.mjs'), APP)
  const gateway = await startSupervisor({
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
    app: { language: 'node', interface: 'fetch', target: 'app.mjs', directory },
    threads: 2,
    edge: { module: edgeModule, config: { limits: { rates: [{ requests: 60, perMs: 86_400_000 }] } } },
    log: { level: 'silent' },
  })
  onTestFinished(() => gateway.stop({ force: true }))
  const [address] = gateway.addresses
  if (address?.type !== 'tcp') throw new Error('no TCP address')

  const answers = await Promise.all(
    Array.from({ length: 150 }, async () => {
      const headers = { connection: 'close' }
      const response = await fetch(`http://127.0.0.1:${address.port}/`, { headers })
      return { status: response.status, text: await response.text() }
    }),
  )
  const passed = answers.filter(({ status }) => status === 200)
  expect(new Set(passed.map(({ text }) => text)).size).toBe(2)
  expect(passed).toHaveLength(60)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(90)
})
