import { describe, it } from 'vitest'
import { describeServerPlugin } from '@havn/plugin-api/testing'
import plugin from '../src/index.ts'

const packageJson = new URL('../package.json', import.meta.url)

describeServerPlugin({ describe, it, plugin, packageJson })
