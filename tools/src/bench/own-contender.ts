import { resolve } from 'node:path'
import type { Contender } from './contender.ts'

/** The command as this checkout has it, in TypeScript. */
export const sourceCommand = resolve(import.meta.dirname, '../../../packages/platform/bin/platform.mjs')

/** An app, as `platform serve` is told of it. */
export interface ServedApp {
  entry: string
  interface: 'wsgi' | 'asgi' | 'node'
  directory: string
  /** Interpreter of a Python app. */
  python?: string
  /** More options of `platform serve`. */
  options?: readonly string[]
}

/** Ours: `platform serve`, 2 workers, the access log off, all else as it comes. */
export function ownContender(command: string, app: ServedApp, name = 'havn'): Contender {
  const python = app.python === undefined ? [] : ['--python', app.python]
  return {
    name,
    processes: (port) => [
      {
        program: process.execPath,
        args: [
          ...[command, 'serve', app.entry, '--interface', app.interface, '--directory', app.directory],
          ...[...python, '--bind', `127.0.0.1:${port}`, '--workers', '2', '--no-access-log'],
          ...(app.options ?? []),
        ],
        cwd: app.directory,
      },
    ],
  }
}
