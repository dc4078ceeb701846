import { describe, it } from 'vitest'
import { describeMonitorPlugin } from '@havn/plugin-api/testing'
import plugin from '../src/index.ts'

const packageJson = new URL('../package.json', import.meta.url)

describeMonitorPlugin({ describe, it, plugin, packageJson })
describeMonitorPlugin({ describe, it, plugin, packageJson, config: { file: 'deep/events.jsonl' } })
