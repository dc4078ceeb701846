import { join } from 'node:path'
import type { PlatformConfig } from '@havn/model'
import type { PluginLogger } from '@havn/plugin-api'
import { createRegistry, findPlugins, type Registry } from '@havn/registry'

/** Packages whose plugins come with `platform`, in the order in which detectors are asked. */
const bundledPackages = [
  '@havn/platform',
  '@havn/framework-django',
  '@havn/framework-python',
  '@havn/framework-node',
  '@havn/server-command',
  '@havn/server-gunicorn',
  '@havn/server-uwsgi',
  '@havn/proxy-nginx',
  '@havn/orchestrator-local',
  '@havn/monitor-otlp',
  '@havn/checks-compose',
  '@havn/checks-deployment',
  '@havn/checks-django',
  '@havn/checks-dockerfile',
  '@havn/checks-http',
  '@havn/checks-kubernetes',
  '@havn/checks-secrets',
  '@havn/checks-server',
]

/** Plugins speak through it before the app has a log of its own: on stderr, and only when it matters. */
const stderrLogger: PluginLogger = {
  debug: () => {},
  info: () => {},
  warn: (_fields, message) => console.error(`warning: ${message}`),
  error: (_fields, message) => console.error(`error: ${message}`),
}

/** Finds what is installed for this folder; loads nothing yet. */
export async function openRegistry(input: { root: string; config: PlatformConfig }): Promise<Registry> {
  const plugins = await findPlugins({
    bundled: { from: import.meta.url, packages: bundledPackages },
    projectDirectory: input.root,
    packages: input.config.plugins ?? [],
  })
  return createRegistry({
    plugins,
    stateDirectory: join(input.root, '.platform', 'plugins'),
    logger: stderrLogger,
  })
}
