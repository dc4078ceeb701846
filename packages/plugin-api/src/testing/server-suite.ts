import assert from 'node:assert/strict'
import { isAbsolute, normalize } from 'node:path'
import { generatedFileSchema, workloadSchema } from '@havn/model'
import type { AppFacts, AppInterface, Endpoint, ProcessSpec, Workload } from '@havn/model'
import type { ProcessPlan, ServerContract, ServerPlanInput } from '../kinds/server.ts'
import { describeAnyPlugin, withPlugin } from './plugin-suite.ts'
import type { PluginSuiteOptions } from './plugin-suite.ts'
import { assertPure } from './purity.ts'
import { sampleApp, sampleSettings, sampleTarget } from './samples.ts'

export interface ServerSuiteOptions extends PluginSuiteOptions {
  /** Facts for planning, where the sample's don't do. */
  app?: (appInterface: AppInterface) => AppFacts
}

/**
 * The contract of servers. Every server plugin runs it, in one test file:
 *
 * @example
 * import { describe, it } from 'vitest'
 * describeServerPlugin({ describe, it, plugin, packageJson: new URL('../package.json', import.meta.url) })
 */
export function describeServerPlugin(options: ServerSuiteOptions): void {
  const { describe, it, plugin } = options
  const withServer = (use: (server: ServerContract) => Promise<void>) =>
    withPlugin<'server', void>(options, use)

  /** Calls back with a plan for each interface that the server can run. */
  const forEachPlan = (check: (plan: ProcessPlan, input: ServerPlanInput) => void) =>
    withServer(async (server) => {
      for (const appInterface of server.interfaces) {
        const input = planInput(options, server, appInterface)
        check(
          assertPure((planned) => server.plan(planned), input),
          input,
        )
      }
    })

  describe(`the server contract: ${plugin.id}`, () => {
    describeAnyPlugin(options)

    it('says what it can run, where it stands and what it needs', () =>
      withServer(async (server) => {
        assert.ok(server.interfaces.length > 0, 'interfaces is empty')
        assert.ok(['public', 'upstream'].includes(server.placement), `placement is ${server.placement}`)
        for (const requirement of server.pythonRequirements) assert.match(requirement, /^[A-Za-z0-9]/)
      }))

    it('plans purely, and in the shapes of the model', () =>
      forEachPlan((plan) => {
        for (const workload of plan.workloads) workloadSchema.parse(workload)
        for (const file of plan.files) generatedFileSchema.parse(file)
      }))

    it('listens on each endpoint that it is given, and on nothing else', () =>
      forEachPlan((plan, { endpoints }) => {
        const listens = processesOf(plan).flatMap((spec) => spec.listens)
        const addresses = listens.map(({ endpoint, address }) => ({ id: endpoint, address }))
        assert.deepEqual(
          addresses,
          endpoints.map(({ id, address }) => ({ id, address })),
        )
      }))

    it('can be asked whether it is ready', () =>
      forEachPlan((plan) => {
        for (const { id, listens, probes } of processesOf(plan)) {
          if (listens.length > 0)
            assert.ok(probes.startup ?? probes.ready, `${id} listens, but has no startup probe`)
        }
      }))

    it('gives requests time to finish before it is killed', () =>
      forEachPlan((plan, { settings }) => {
        for (const { id, stop } of processesOf(plan)) {
          assert.ok(stop.killMs > stop.drainMs, `${id} is killed before its drain is over`)
          assert.equal(stop.drainMs, settings.timeouts.drainMs, `${id} does not drain for timeouts.drainMs`)
        }
      }))

    it('names each process once, and keeps its files in the run directory', () =>
      forEachPlan((plan) => {
        const ids = plan.workloads.map(({ id }) => id)
        assert.equal(new Set(ids).size, ids.length, `workloads share an id: ${ids.join(', ')}`)
        for (const { path } of plan.files) {
          assert.ok(
            !isAbsolute(path) && !normalize(path).startsWith('..'),
            `${path} is not in the run directory`,
          )
        }
      }))
  })
}

function planInput(
  options: ServerSuiteOptions,
  server: ServerContract,
  appInterface: AppInterface,
): ServerPlanInput {
  const target = sampleTarget()
  return {
    app: (options.app ?? sampleApp)(appInterface),
    target,
    endpoints: [sampleEndpoint(server, target.runDirectory)],
    settings: sampleSettings(),
  }
}

function sampleEndpoint(server: ServerContract, runDirectory: string): Endpoint {
  const tcp = { type: 'tcp', host: '127.0.0.1', port: 8123 } as const
  if (server.placement === 'public') return { id: 'public', address: tcp, protocol: 'http', public: true }
  const unix = { type: 'unix', path: `${runDirectory}/app.sock` } as const
  return { id: 'app', address: server.endpoint === 'tcp' ? tcp : unix, protocol: 'http', public: false }
}

function processesOf(plan: ProcessPlan): ProcessSpec[] {
  const workloads: Workload[] = plan.workloads.map((workload) => workloadSchema.parse(workload))
  return workloads.flatMap(({ main, sidecars }) => [main, ...sidecars])
}
