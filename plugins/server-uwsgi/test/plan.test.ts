import { describe, expect, it } from 'vitest'
import type { Endpoint } from '@havn/model'
import type { ServerPlanInput, ServerSettings } from '@havn/plugin-api'
import { sampleApp, sampleSettings, sampleTarget } from '@havn/plugin-api/testing'
import { configSchema } from '../src/config.ts'
import type { UwsgiOptions } from '../src/config.ts'
import { planUwsgi } from '../src/plan.ts'

const unix = { type: 'unix', path: '/run/havn-sample/app.sock' } as const
const endpoint: Endpoint = { id: 'app', address: unix, protocol: 'http', public: false }
const wsgi = sampleApp('wsgi')

function plan(options: UwsgiOptions = {}, input: Partial<ServerPlanInput> = {}) {
  const base = { app: wsgi, target: sampleTarget(), endpoints: [endpoint], settings: sampleSettings() }
  return planUwsgi(configSchema.parse(options), { ...base, ...input })
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
    ['wsgi', {}],
    ['options', { lazyApps: true, maxRequests: 1000, args: ['--cache2', 'name=sample,items=100'] }],
  ])('is the golden one: %s', async (name, options) => {
    await expect(JSON.stringify(plan(options), null, 2) + '\n').toMatchFileSnapshot(`golden/${name}.json`)
  })

  it('runs one thread for an app that is not thread-safe', () => {
    expect(argument(plan({}, { app: { ...wsgi, threadSafe: false } }), '--threads')).toBeUndefined()
  })

  it.each([
    [undefined, undefined],
    [0, undefined],
    [1, '1'],
    [30_001, '31'],
  ])('turns a request timeout of %s ms into a harakiri of %s s', (requestMs, seconds) => {
    expect(argument(plan({}, { settings: settings({ timeouts: { requestMs } }) }), '--harakiri')).toBe(
      seconds,
    )
  })

  it.each([
    [undefined, undefined],
    [4, '4'],
  ])('has the threads that are asked for, else one: %s', (workerThreads, threads) => {
    expect(argument(plan({}, { settings: settings({ workerThreads }) }), '--threads')).toBe(threads)
  })

  it('recycles as the deployment says, in MiB', () => {
    const recycle = { maxRequests: 1000, maxMemoryBytes: 300 * 1024 * 1024 }
    const planned = plan({}, { settings: settings({ recycle }) })
    expect(argument(planned, '--max-requests')).toBe('1000')
    expect(argument(planned, '--reload-on-rss')).toBe('300')
    expect(argument(plan({}), '--reload-on-rss')).toBeUndefined()
  })

  it('ends before it is killed', () => {
    const planned = plan({}, { settings: settings({ timeouts: { drainMs: 12_345 } }) })
    expect(argument(planned, '--worker-reload-mercy')).toBe('13')
    expect(planned.workloads[0]!.main.stop!.killMs).toBeGreaterThan(13_000)
  })
})
