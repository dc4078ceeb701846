import { describe, expect, it } from 'vitest'
import type { Endpoint } from '@havn/model'
import type { LogLevel, ServerPlanInput, ServerSettings } from '@havn/plugin-api'
import { sampleApp, sampleSettings, sampleTarget } from '@havn/plugin-api/testing'
import { configSchema } from '../src/config.ts'
import type { GunicornOptions } from '../src/config.ts'
import { planGunicorn } from '../src/plan.ts'

const unix = { type: 'unix', path: '/run/havn-sample/app.sock' } as const
const endpoint: Endpoint = { id: 'app', address: unix, protocol: 'http', public: false }
const wsgi = sampleApp('wsgi')

function plan(options: GunicornOptions = {}, input: Partial<ServerPlanInput> = {}) {
  const base = { app: wsgi, target: sampleTarget(), endpoints: [endpoint], settings: sampleSettings() }
  return planGunicorn(configSchema.parse(options), { ...base, ...input })
}

/** The argument after a flag; undefined when the flag is not there. */
function argument(planned: ReturnType<typeof plan>, flag: string): string | undefined {
  const args = planned.workloads[0]!.main.args ?? []
  const index = args.indexOf(flag)
  return index === -1 ? undefined : args[index + 1]
}

const settings = (change: Partial<ServerSettings>): ServerSettings => ({ ...sampleSettings(), ...change })

describe('the plan', () => {
  it.each([
    ['wsgi', {}, {}],
    ['asgi', {}, { app: sampleApp('asgi') }],
    ['options', { preload: true, maxRequests: 1000, configFile: 'deploy/gunicorn.py' }, {}],
  ] as const)('is the golden one: %s', async (name, options, input) => {
    const text = JSON.stringify(plan(options, input), null, 2) + '\n'
    await expect(text).toMatchFileSnapshot(`golden/${name}.json`)
  })

  it('runs one thread for an app that is not thread-safe', () => {
    const planned = plan({}, { app: { ...wsgi, threadSafe: false } })
    expect(argument(planned, '--worker-class')).toBe('sync')
    expect(argument(planned, '--threads')).toBeUndefined()
  })

  it.each([
    [undefined, undefined],
    [0, '0'],
    [1, '1'],
    [30_000, '30'],
    [30_001, '31'],
  ])('turns a request timeout of %s ms into %s s', (requestMs, seconds) => {
    expect(argument(plan({}, { settings: settings({ timeouts: { requestMs } }) }), '--timeout')).toBe(seconds)
  })

  it('recycles as the deployment says, unless it has its own number', () => {
    const recycle = { maxRequests: 1000, jitter: 0.25 }
    const planned = plan({}, { settings: settings({ recycle }) })
    expect(argument(planned, '--max-requests')).toBe('1000')
    expect(argument(planned, '--max-requests-jitter')).toBe('250')
    const own = plan({ maxRequests: 50 }, { settings: settings({ recycle: { maxRequests: 1000 } }) })
    expect(argument(own, '--max-requests')).toBe('50')
    expect(argument(own, '--max-requests-jitter')).toBe('5')
  })

  it('ends before it is killed', () => {
    const planned = plan({}, { settings: settings({ timeouts: { drainMs: 12_345 } }) })
    expect(argument(planned, '--graceful-timeout')).toBe('13')
    expect(planned.workloads[0]!.main.stop!.killMs).toBeGreaterThan(13_000)
  })

  it.each<[LogLevel, string]>([
    ['trace', 'debug'],
    ['warn', 'warning'],
    ['silent', 'critical'],
  ])('logs at %s as %s', (level, name) => {
    const log = { ...sampleSettings().log, level }
    expect(argument(plan({}, { settings: settings({ log }) }), '--log-level')).toBe(name)
  })
})
