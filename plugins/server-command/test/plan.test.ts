import { expect, it } from 'vitest'
import { sampleApp, sampleSettings, sampleTarget } from '@havn/plugin-api/testing'
import { configSchema } from '../src/config.ts'
import { planCommand } from '../src/plan.ts'

const config = configSchema.parse({ command: ['hypercorn', '--bind', '$HOST:$PORT', 'sample:app'] })
const base = { app: sampleApp('asgi'), target: sampleTarget(), settings: sampleSettings() }
const tcp = {
  id: 'app',
  address: { type: 'tcp', host: '127.0.0.1', port: 8123 },
  protocol: 'http',
  public: false,
} as const

it('plans one process that knows its port', async () => {
  const plan = planCommand(config, { ...base, endpoints: [tcp] })
  await expect(JSON.stringify(plan, null, 2) + '\n').toMatchFileSnapshot('golden/command.json')
})

it('refuses an endpoint that it cannot listen on', () => {
  const unix = { ...tcp, address: { type: 'unix', path: '/run/app.sock' } } as const
  expect(() => planCommand(config, { ...base, endpoints: [unix] })).toThrow(
    /one port, but got unix:\/run\/app\.sock/,
  )
  expect(() => planCommand(config, { ...base, endpoints: [] })).toThrow(/none/)
})
