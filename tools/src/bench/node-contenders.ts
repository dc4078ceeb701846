import { resolve } from 'node:path'
import type { Contender } from './contender.ts'

const apps = resolve(import.meta.dirname, 'apps')
const platformBin = resolve(import.meta.dirname, '../../../packages/platform/bin/platform.mjs')

/** A JavaScript hello: ours against bare node:http in threads and in processes. */
export const nodeContenders: Contender[] = [
  {
    name: 'havn',
    processes: (port) => [
      {
        program: process.execPath,
        args: [
          ...[platformBin, 'serve', './hello.mjs', '--interface', 'node', '--bind', `127.0.0.1:${port}`],
          ...['--workers', '2', '--no-access-log'],
        ],
        cwd: apps,
      },
    ],
  },
  ...['node-threads', 'node-cluster'].map((name): Contender => ({
    name,
    processes: (port) => [
      { program: process.execPath, args: [`${name}.mjs`], cwd: apps, env: { PORT: String(port) } },
    ],
  })),
]
