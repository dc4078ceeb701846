import { describe, it } from 'vitest'
import { describeChecksPlugin } from '@havn/plugin-api/testing'
import plugin from '../src/index.ts'

const packageJson = new URL('../package.json', import.meta.url)

describeChecksPlugin({ describe, it, plugin, packageJson })
