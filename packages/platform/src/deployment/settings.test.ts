import { describe, expect, test } from 'vitest'
import type { PlatformConfig } from '@havn/model'
import {
  planDispatch,
  planIsolation,
  planPublicEndpoints,
  planServerSettings,
  planWorkers,
  type Overrides,
} from './settings.ts'

describe('where the public door is', () => {
  const loopback = { type: 'tcp', host: '127.0.0.1', port: 8000 }

  test('loopback, unasked', () => {
    expect(planPublicEndpoints({}, {})).toEqual({
      value: [{ id: 'public', address: loopback, protocol: 'http', public: true }],
      because: 'loopback is the default: nothing is public unasked',
    })
  })

  test('the config, then the command line', () => {
    const config = { bind: ['0.0.0.0:80', 'unix:/run/a.sock'] }
    const fromConfig = planPublicEndpoints(config, {})
    expect(fromConfig.because).toBe('bind in the config says so')
    expect(fromConfig.value.map(({ id, address }) => [id, address])).toEqual([
      ['public', { type: 'tcp', host: '0.0.0.0', port: 80 }],
      ['public-2', { type: 'unix', path: '/run/a.sock' }],
    ])
    const fromOption = planPublicEndpoints(config, { bind: [':8000'] })
    expect(fromOption.because).toBe('--bind says so')
    expect(fromOption.value.map(({ address }) => address)).toEqual([loopback])
  })

  test.each(['here', '127.0.0.1:99999', 'unix:', ''])('"%s" is no address', (text) => {
    expect(() => planPublicEndpoints({ bind: text }, {})).toThrow(
      expect.objectContaining({ code: 'HAVN_ERR_BIND_INVALID', message: `"${text}" is not an address.` }),
    )
  })
})

test.each<[PlatformConfig, Overrides, string, string]>([
  [{}, {}, 'thread', "the gateway's own threads are the default: they share one process and start fastest"],
  [{ isolation: 'process' }, {}, 'process', 'isolation in the config says so'],
  [{ isolation: 'process' }, { isolation: 'thread' }, 'thread', '--isolation says so'],
])('isolation of %j and %j', (config, overrides, value, because) => {
  expect(planIsolation(config, overrides)).toEqual({ value, because })
})

test.each<[PlatformConfig, Overrides, string, RegExp]>([
  [{}, {}, 'inline', /default/],
  [{ dispatch: 'task' }, {}, 'task', /^dispatch in the config says so$/],
  [{ dispatch: 'task' }, { dispatch: 'inline' }, 'inline', /^--dispatch says so$/],
])('dispatch of %j and %j', (config, overrides, value, because) => {
  expect(planDispatch(config, overrides)).toEqual({ value, because: expect.stringMatching(because) })
})

const resources = (cpus: number, bytes = 2 ** 40, by: 'cgroup' | 'machine' = 'machine') => ({
  cpus,
  memory: { bytes, by },
})
const MiB = 1024 * 1024

describe('workers', () => {
  test.each<[string, ReturnType<typeof resources>, PlatformConfig, number, string]>([
    [
      'a cgroup of 512 MiB',
      resources(8, 512 * MiB, 'cgroup'),
      {},
      2,
      'the cgroup allows 512 MiB of memory: room for 2 of 128 MiB each, beside 192 MiB for the gateway, on 8 CPUs',
    ],
    ['a small machine', resources(4, 384 * MiB), {}, 1, 'this machine has 384 MiB of memory: room for 1'],
    ['less than one needs', resources(2, 64 * MiB, 'cgroup'), {}, 1, 'room for 1'],
    ['enough', resources(2, 448 * MiB, 'cgroup'), {}, 2, 'one for each CPU'],
    [
      'workers that may grow',
      resources(8, 2240 * MiB, 'cgroup'),
      { recycle: { maxMemoryBytes: 512 * MiB } },
      4,
      'room for 4 of 512 MiB each',
    ],
  ])('as memory goes: %s', (_what, limits, config, value, because) => {
    const planned = planWorkers(config, {}, limits)
    expect(planned.value).toBe(value)
    expect(planned.because).toContain(because)
  })

  test.each<[PlatformConfig, Overrides, number, string]>([
    [{}, {}, 6, 'one for each CPU that this process may use (6, by affinity and cgroup)'],
    [{ workers: 3 }, {}, 3, 'workers in the config says so'],
    [{ workers: 3 }, { workers: 9 }, 9, '--workers says so'],
    [{ workers: 3 }, { workers: 'auto' }, 6, 'one for each CPU'],
  ])('%j and %j', (config, overrides, value, because) => {
    const planned = planWorkers(config, overrides, resources(6))
    expect(planned.value).toBe(value)
    expect(planned.because).toContain(because)
  })
})

describe('settings for the server', () => {
  const plan = (config: PlatformConfig, overrides: Overrides = {}, isTerminal = false, isColored = false) =>
    planServerSettings({
      config,
      overrides,
      resources: resources(2),
      isTerminal,
      isColored,
      threadModules: [],
      tls: undefined,
    })

  test('what nobody said is left to the server', () => {
    expect(plan({})).toEqual({
      workers: 2,
      trustedProxies: [],
      limits: {},
      timeouts: {},
      log: { level: 'info', format: 'json', access: true },
      threadModules: [],
    })
  })

  test('the command line wins over the config', () => {
    const config: PlatformConfig = {
      threads: 1,
      workerThreads: 2,
      trustedProxies: ['10.0.0.0/8'],
      proxyProtocol: ['10.1.0.7'],
      timeouts: { requestMs: 1000, drainMs: 7 },
      log: { level: 'warn', format: 'text', access: true },
    }
    expect(plan(config)).toMatchObject({
      threads: 1,
      workerThreads: 2,
      trustedProxies: ['10.0.0.0/8'],
      proxyProtocol: ['10.1.0.7'],
    })
    const overrides: Overrides = {
      threads: 'auto',
      workerThreads: 8,
      trustedProxies: ['127.0.0.1'],
      requestTimeoutMs: 0,
      logLevel: 'error',
      logFormat: 'json',
      access: false,
    }
    const planned = plan(config, overrides)
    expect(planned).not.toHaveProperty('threads')
    expect(planned).toMatchObject({
      workerThreads: 8,
      trustedProxies: ['127.0.0.1'],
      timeouts: { requestMs: 0, drainMs: 7 },
      log: { level: 'error', format: 'json', access: false },
    })
  })

  test.each([
    [undefined, true, 'text'],
    [undefined, false, 'json'],
    ['auto', true, 'text'],
    ['json', true, 'json'],
    ['text', false, 'text'],
  ] as const)('log format %s, on a terminal: %s', (format, isTerminal, expected) => {
    expect(plan({}, { logFormat: format }, isTerminal).log.format).toBe(expected)
    expect(plan({ log: { format } }, {}, isTerminal).log.format).toBe(expected)
  })

  test('colours only for who watches', () => {
    expect(plan({}, {}, true, true).log.color).toBe(true)
    expect(plan({}, {}, true, false).log).not.toHaveProperty('color')
  })
})
