import { describe, expectTypeOf, test } from 'vitest'
import type { PluginRef, Release } from '@havn/model'
import { z } from 'zod'
import {
  definePlugin,
  type LogLevel,
  type MonitorContract,
  type PluginContracts,
  type PluginKind,
  type ServerSettings,
} from '../src/index.ts'

// Compiled by `npm run typecheck`: each @ts-expect-error is an error itself when the line beneath it is right.
const config = z.strictObject({ port: z.int().default(80), name: z.string().optional() })
const monitor: MonitorContract = { environment: () => ({}), receive: () => {} }

describe('definePlugin', () => {
  test('hands setup the parsed configuration, and keeps kind and schema', () => {
    const plugin = definePlugin({
      id: 'monitor.sample',
      kind: 'monitor',
      apiVersion: 1,
      config,
      setup(values, context) {
        expectTypeOf(values).toEqualTypeOf<{ port: number; name?: string | undefined }>()
        expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>()
        expectTypeOf(context.stateDirectory).toBeString()
        return monitor
      },
    })
    expectTypeOf(plugin.kind).toEqualTypeOf<'monitor'>()
    expectTypeOf(plugin.config).toEqualTypeOf<typeof config>()
  })

  test('takes a setup that is asynchronous, and a lifecycle beside the contract', () => {
    definePlugin({
      id: 'monitor.sample',
      kind: 'monitor',
      apiVersion: 1,
      config,
      setup: async () => ({ ...monitor, start: async () => {}, drain: (_signal: AbortSignal) => {} }),
    })
  })

  test('refuses an id of another kind', () => {
    definePlugin({
      // @ts-expect-error -- a monitor's id begins with monitor.
      id: 'server.sample',
      kind: 'monitor',
      apiVersion: 1,
      config,
      setup: () => monitor,
    })
  })

  test('refuses a kind that there is not', () => {
    definePlugin({
      // @ts-expect-error -- no id begins with gadget.
      id: 'gadget.sample',
      // @ts-expect-error -- gadget is no kind
      kind: 'gadget',
      apiVersion: 1,
      config,
      setup: () => monitor,
    })
  })

  test('refuses an instance of another kind, or half of one', () => {
    // @ts-expect-error -- a monitor is no server
    definePlugin({ id: 'server.sample', kind: 'server', apiVersion: 1, config, setup: () => monitor })
    definePlugin({
      id: 'monitor.sample',
      kind: 'monitor',
      apiVersion: 1,
      config,
      // @ts-expect-error -- receive is missing
      setup: () => ({ environment: () => ({}) }),
    })
  })

  test('refuses a wrong shape within an instance', () => {
    definePlugin({
      id: 'server.sample',
      kind: 'server',
      apiVersion: 1,
      config,
      setup: () => ({
        placement: 'upstream' as const,
        // @ts-expect-error -- there is no interface cgi
        interfaces: ['cgi' as const],
        pythonRequirements: [],
        plan: () => ({ workloads: [], files: [] }),
      }),
    })
    definePlugin({
      id: 'monitor.sample',
      kind: 'monitor',
      apiVersion: 1,
      config,
      // @ts-expect-error -- start gets a signal, not a number
      setup: () => ({ ...monitor, start: (_port: number) => {} }),
    })
  })

  test('refuses a use of the configuration that its schema does not have', () => {
    definePlugin({
      id: 'monitor.sample',
      kind: 'monitor',
      apiVersion: 1,
      config,
      setup: (values) => {
        // @ts-expect-error -- the key is port
        void values.prot
        // @ts-expect-error -- a port is a number
        values.port.toUpperCase()
        // @ts-expect-error -- a name may be absent
        values.name.length // eslint-disable-line @typescript-eslint/no-unused-expressions
        return monitor
      },
    })
  })

  test('refuses what is no schema, and a version that is no number', () => {
    // @ts-expect-error -- a plain object is no Standard Schema
    definePlugin({ id: 'monitor.a', kind: 'monitor', apiVersion: 1, config: {}, setup: () => monitor })
    // @ts-expect-error -- a version is a number
    definePlugin({ id: 'monitor.a', kind: 'monitor', apiVersion: '1', config, setup: () => monitor })
    // @ts-expect-error -- setup is missing
    definePlugin({ id: 'monitor.a', kind: 'monitor', apiVersion: 1, config })
  })
})

describe('the contracts', () => {
  test('there is one for each kind', () => {
    expectTypeOf<PluginKind>().toEqualTypeOf<keyof PluginContracts>()
    expectTypeOf<PluginKind>().toEqualTypeOf<
      'framework' | 'server' | 'proxy' | 'builder' | 'orchestrator' | 'monitor' | 'checks'
    >()
  })

  test('planners answer at once; effects answer later', () => {
    expectTypeOf<PluginContracts['server']['plan']>().returns.not.toExtend<Promise<unknown>>()
    expectTypeOf<PluginContracts['proxy']['plan']>().returns.not.toExtend<Promise<unknown>>()
    expectTypeOf<PluginContracts['orchestrator']['plan']>().returns.not.toExtend<Promise<unknown>>()
    expectTypeOf<PluginContracts['orchestrator']['plan']>().parameters.toEqualTypeOf<
      [release: Release, current: Release | null]
    >()
    expectTypeOf<PluginContracts['orchestrator']['apply']>().returns.toEqualTypeOf<Promise<void>>()
  })

  test('settings name levels and formats that exist', () => {
    expectTypeOf<ServerSettings['log']['level']>().toEqualTypeOf<LogLevel>()
    // @ts-expect-error -- loud is no level
    const level: LogLevel = 'loud'
    void level
  })

  test('a reference to a plugin is JSON', () => {
    // @ts-expect-error -- a function cannot cross a process
    const ref: PluginRef = { id: 'monitor.sample', config: { send: () => {} } }
    void ref
  })
})
