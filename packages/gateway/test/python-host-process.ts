import { spawn, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { streamWindows } from '../src/host/stream-windows.ts'
import { until } from './python-host-setup.ts'
import type { PythonFront } from './python-host-setup.ts'

/** False where there is no CPython to test with; under CI that is a failure. */
export const hasPython = findPython()

export interface PythonOptions {
  /** The module `app`, whose `application` is served. */
  source: string
  worker?: number
  threads?: number
  env?: Record<string, string>
}

/** A real CPython worker for a front; killed when the test ends. */
export async function startPython(front: PythonFront, options: PythonOptions): Promise<number> {
  const { source, worker = 1, threads = 4, env } = options
  await writeFile(join(front.directory, 'app.py'), source)
  const settings = {
    protocol: 1,
    socket: front.socketPath,
    worker,
    interface: front.appInterface,
    target: 'app:application',
    directory: front.directory,
    threads,
    lifespan: 'auto',
    ...streamWindows,
  }
  const main = join(import.meta.dirname, '../python/havn_host/__main__.py')
  const child = spawn('python3', [main], {
    cwd: front.directory,
    env: { ...process.env, ...env, HAVN_HOST: JSON.stringify(settings) },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const settled = () => front.ready.some((each) => each.worker === worker) || front.failed.length > 0
  await until(() => settled() || child.exitCode !== null, 30_000)
  if (!settled()) throw new Error(`The worker exited with ${child.exitCode}.`)
  return child.pid as number
}

function findPython(): boolean {
  const { error } = spawnSync('python3', ['--version'])
  if (error === undefined) return true
  if (process.env['CI'] === 'true') throw new Error('The part "python3" is missing.', { cause: error })
  console.warn('skipped: python3 is missing')
  return false
}
