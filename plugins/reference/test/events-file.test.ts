import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createRegistry, findPlugins } from '@havn/registry'
import type { PluginLogger } from '@havn/plugin-api'
import { eventsFile } from '../src/index.ts'

let folder: string
let warnings: object[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'havn-reference-'))
  warnings = []
})
afterEach(() => rm(folder, { recursive: true }))

const logger: PluginLogger = {
  debug() {},
  info() {},
  error() {},
  warn: (fields) => void warnings.push(fields),
}

async function openRegistry() {
  const plugins = await findPlugins({ packages: [import.meta.dirname + '/..'], projectDirectory: folder })
  return createRegistry({ plugins, stateDirectory: folder, logger })
}

it('writes each event, with its time, once the plugin is closed', async () => {
  const registry = await openRegistry()
  const { instance } = await registry.open('monitor', 'events-file')
  instance.receive({ type: 'release.ready', release: 'r1' })
  instance.receive({ type: 'release.stopped', release: 'r1' })
  await registry.close()
  const lines = (await readFile(join(folder, 'monitor.events-file', 'events.jsonl'), 'utf8'))
    .trim()
    .split('\n')
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { time: expect.stringMatching(/^\d{4}-.*Z$/), type: 'release.ready', release: 'r1' },
    { time: expect.stringMatching(/^\d{4}-.*Z$/), type: 'release.stopped', release: 'r1' },
  ])
})

it('is done without when its file cannot be opened', async () => {
  const registry = await openRegistry()
  const { degraded, instance } = await registry.open('monitor', eventsFile({ file: '/dev/null/events' }))
  expect(degraded?.message).toContain('monitor.events-file failed in start')
  instance.receive({ type: 'release.ready', release: 'r1' })
  expect(warnings).toHaveLength(1)
  await registry.close()
})
