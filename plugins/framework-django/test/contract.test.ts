import { join } from 'node:path'
import { describeFrameworkPlugin } from '@havn/plugin-api/testing'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { describe, it } from 'vitest'
import plugin from '../src/index.ts'
import { runtimeOf } from './create-project.ts'

const python = await requirePart('Django 5.2', () => ensurePython(['Django>=5.2,<5.3']))

describeFrameworkPlugin({
  describe,
  it,
  plugin,
  packageJson: new URL('../package.json', import.meta.url),
  examples: [
    {
      name: 'the polls site',
      directory: join(import.meta.dirname, '../../../examples/polls'),
      ...(python !== null && { runtime: async () => runtimeOf(python) }),
    },
  ],
})
