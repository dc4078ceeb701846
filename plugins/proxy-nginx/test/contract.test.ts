import { describe, it } from 'vitest'
import { describeProxyPlugin } from '@havn/plugin-api/testing'
import plugin from '../src/index.ts'

const packageJson = new URL('../package.json', import.meta.url)

describeProxyPlugin({ describe, it, plugin, packageJson })
