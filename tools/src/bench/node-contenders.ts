import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureNpm } from '../parts/index.ts'
import type { Contender } from './contender.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const wattPackages = ['wattpm@3.67.0', '@platformatic/node@3.65.0']

/** Bare node:http in two worker threads and in two processes of node:cluster, and Platformatic Watt. */
export async function nodePeers(apps: string): Promise<Contender[]> {
  const bare = ['node-threads', 'node-cluster'].map((name): Contender => ({
    name,
    processes: (port) => [
      { program: process.execPath, args: [`${name}.mjs`], cwd: apps, env: { PORT: String(port) } },
    ],
  }))
  return [...bare, await watt(join(apps, 'hello.mjs'))]
}

/** Where Watt is installed. */
export function ensureWatt(): Promise<string> {
  return ensureNpm(wattPackages)
}

/** Watt as `wattpm start` runs a node:http app in production, in two workers, with its log off. */
async function watt(handler: string): Promise<Contender> {
  const installed = await ensureWatt()
  const app = temporaryDirectory('watt')
  symlinkSync(join(installed, 'node_modules'), join(app, 'node_modules'))
  writeFileSync(
    join(app, 'package.json'),
    JSON.stringify({
      name: 'hello',
      private: true,
      type: 'module',
      main: 'app.mjs',
      dependencies: { '@platformatic/node': '*' },
    }),
  )
  writeFileSync(
    join(app, 'watt.json'),
    JSON.stringify({
      module: '@platformatic/node',
      runtime: {
        workers: 2,
        logger: { level: 'silent' },
        server: { hostname: '127.0.0.1', port: '{PORT}' },
      },
    }),
  )
  writeFileSync(
    join(app, 'app.mjs'),
    `import { createServer } from 'node:http'
import hello from ${JSON.stringify(pathToFileURL(handler).href)}
export const create = () => createServer({ keepAliveTimeout: 65_000 }, hello)
`,
  )
  return {
    name: 'watt',
    processes: (port) => [
      {
        program: process.execPath,
        args: [join(installed, 'node_modules/wattpm/bin/cli.js'), 'start'],
        cwd: app,
        env: { PORT: String(port) },
      },
    ],
  }
}
