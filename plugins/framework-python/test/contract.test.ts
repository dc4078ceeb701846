import { join } from 'node:path'
import { describeFrameworkPlugin } from '@havn/plugin-api/testing'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { describe, it } from 'vitest'
import plugin from '../src/index.ts'
import { requirements, runtimeOf } from './create-app.ts'

const python = await requirePart('Starlette', () => ensurePython(requirements))

describeFrameworkPlugin({
  describe,
  it,
  plugin,
  packageJson: new URL('../package.json', import.meta.url),
  examples: [
    {
      name: 'the chat',
      directory: join(import.meta.dirname, '../../../examples/chat'),
      ...(python !== null && { runtime: async () => runtimeOf(python) }),
    },
  ],
})
