import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { AppFacts } from '@havn/model'
import { openSourceTree, type AppRuntime, type FrameworkOptions } from '@havn/plugin-api'
import { detectPython } from '../src/detect.ts'
import { inspectPython } from '../src/inspect.ts'

export const requirements = ['Flask>=3,<4', 'starlette>=0.40', 'fastapi>=0.115']

export function runtimeOf(interpreter: string): AppRuntime {
  const { PYTHONPATH: _, ...env } = process.env
  return { language: 'python', interpreter, version: '3.11.0', env: env as Record<string, string> }
}

/** A source tree in a folder of its own. */
export interface TestApp {
  root: string
  inspect(options?: Partial<FrameworkOptions>): Promise<AppFacts>
  remove(): Promise<void>
}

export async function createApp(interpreter: string, files: Record<string, string>): Promise<TestApp> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'havn-python-')))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return {
    root,
    async inspect(options = {}) {
      const tree = await openSourceTree(root)
      const given = { env: {}, ...options }
      const detection = await detectPython(tree, given)
      if (!detection) throw new Error('nothing was detected')
      const { signal } = new AbortController()
      return inspectPython({ tree, detection, runtime: runtimeOf(interpreter), options: given, signal })
    },
    remove: () => rm(root, { recursive: true, force: true }),
  }
}
