import assert from 'node:assert/strict'
import { toErrorJson } from '@havn/model/errors'
import type { LifecycleEvent, MonitorContract } from '../kinds/monitor.ts'
import { describeAnyPlugin, withPlugin } from './plugin-suite.ts'
import type { PluginSuiteOptions } from './plugin-suite.ts'
import { assertPure, frozenCopy } from './purity.ts'
import { sampleProcess } from './samples.ts'

export type MonitorSuiteOptions = PluginSuiteOptions

/** The contract of monitors. What a monitor sends, and where, its own tests show. */
export function describeMonitorPlugin(options: MonitorSuiteOptions): void {
  const { describe, it, plugin } = options
  const withMonitor = <Result>(use: (monitor: MonitorContract) => Promise<Result>) =>
    withPlugin<'monitor', Result>(options, use)

  describe(`the monitor contract: ${plugin.id}`, () => {
    describeAnyPlugin(options)

    it('gives processes variables as text, purely', () =>
      withMonitor(async (monitor) => {
        const environment = assertPure((spec) => monitor.environment(spec), sampleProcess())
        for (const [name, value] of Object.entries(environment)) {
          assert.match(name, /^[A-Za-z_][A-Za-z0-9_]*$/)
          assert.equal(typeof value, 'string', name)
        }
      }))

    it('names thread modules by URL', () =>
      withMonitor(async (monitor) => {
        for (const module of monitor.threadModules ?? []) assert.ok(URL.canParse(module), module)
      }))

    it('receives every event at once, and leaves it as it was', () =>
      withMonitor(async (monitor) => {
        for (const event of sampleEvents())
          assert.equal(monitor.receive(frozenCopy(event)), undefined, event.type)
      }))

    it('takes an event after its end without a word', async () => {
      const monitor = await withMonitor(async (instance) => instance)
      for (const event of sampleEvents()) monitor.receive(event)
    })
  })
}

/** One event of each type. */
function sampleEvents(): LifecycleEvent[] {
  const job = { job: 'migrate', title: 'Apply migrations' }
  const error = toErrorJson(new Error('the database is away'))
  return [
    { type: 'job.started', ...job },
    { type: 'job.output', job: 'migrate', line: 'Applying polls.0001_initial... OK' },
    { type: 'job.finished', ...job, durationMs: 12 },
    { type: 'job.skipped', ...job, because: 'unchanged since yesterday' },
    { type: 'job.failed', ...job, durationMs: 12, error },
    { type: 'process.starting', process: 'app', pid: 4242 },
    { type: 'process.output', process: 'app', stream: 'stdout', line: 'ready' },
    { type: 'process.ready', process: 'app', durationMs: 340 },
    { type: 'process.exited', process: 'app', code: null, signal: 'SIGSEGV', expected: false },
    { type: 'process.restarting', process: 'app', delayMs: 500 },
    { type: 'release.ready', release: 'r1' },
    { type: 'release.stopped', release: 'r1' },
  ]
}
