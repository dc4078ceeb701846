import { appFactsSchema, processSpecSchema } from '@havn/model'
import type { AppFacts, AppInterface, ProcessSpec } from '@havn/model'
import type { ServerSettings, Target } from '../kinds/server.ts'

/** Facts of a small app, for planners. Nothing lies at its root. */
export function sampleApp(appInterface: AppInterface): AppFacts {
  const isPython = appInterface === 'wsgi' || appInterface === 'asgi'
  const name = isPython ? 'python' : 'node'
  return appFactsSchema.parse({
    name: 'sample',
    root: '/srv/sample',
    framework: { id: name, name },
    project: isPython
      ? { language: 'python', manager: 'pip', files: ['requirements.txt'] }
      : { language: 'node', manager: 'npm', files: ['package.json'] },
    entry: { interface: appInterface, target: isPython ? 'sample.entry:application' : './app.ts' },
    env: { SAMPLE_SETTING: 'on' },
    health: { path: '/health', host: 'sample.test' },
  })
}

/** A machine to plan for. */
export function sampleTarget(): Target {
  return {
    orchestrator: 'orchestrator.local',
    runDirectory: '/run/havn-sample',
    interpreter: '/srv/sample/.venv/bin/python',
    cpus: 2,
  }
}

/** Settings with every limit and timeout said. */
export function sampleSettings(): ServerSettings {
  return {
    workers: 2,
    workerThreads: 4,
    trustedProxies: [],
    limits: { maxBodyBytes: 1_000_000, maxHeaderBytes: 16_384, maxConnections: 500, maxQueue: 100 },
    timeouts: { requestMs: 20_000, queueMs: 5_000, drainMs: 10_000, keepAliveMs: 5_000 },
    log: { level: 'info', format: 'json', access: true },
    threadModules: [],
  }
}

/** A process that a monitor is asked about. */
export function sampleProcess(): ProcessSpec {
  return processSpecSchema.parse({ id: 'app', program: { type: 'python' }, args: ['-m', 'sample'] })
}
