import { describeMonitorPlugin } from '@havn/plugin-api/testing'
import { describe, it } from 'vitest'
import plugin from '../src/index.ts'

describeMonitorPlugin({
  describe,
  it,
  plugin,
  packageJson: new URL('../package.json', import.meta.url),
  config: {
    endpoint: 'http://localhost:4318',
    serviceName: 'polls',
    headers: { authorization: 'OTLP_TOKEN' },
  },
})
