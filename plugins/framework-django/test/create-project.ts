import { execFileSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { AppFacts } from '@havn/model'
import { openSourceTree, type AppRuntime, type FrameworkOptions } from '@havn/plugin-api'
import { detectDjango } from '../src/detect.ts'
import { inspectDjango } from '../src/inspect.ts'

/** A project as `django-admin startproject` makes it, in a folder of its own. */
export interface TestProject {
  root: string
  write(path: string, text: string): Promise<void>
  append(path: string, text: string): Promise<void>
  inspect(options?: Partial<FrameworkOptions>): Promise<AppFacts>
  remove(): Promise<void>
}

export function runtimeOf(interpreter: string): AppRuntime {
  const { DJANGO_SETTINGS_MODULE: _, ...env } = process.env
  return { language: 'python', interpreter, version: '3.11.0', env: env as Record<string, string> }
}

/** @param folder where in the tree the project lies. */
export async function createProject(interpreter: string, folder = '.'): Promise<TestProject> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'havn-django-')))
  await mkdir(join(root, folder), { recursive: true })
  execFileSync(interpreter, ['-m', 'django', 'startproject', 'copenhagen', join(root, folder)])
  return {
    root,
    async write(path, text) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), text)
    },
    append: (path, text) => appendFile(join(root, path), text),
    async inspect(options = {}) {
      const tree = await openSourceTree(root)
      const given = { env: {}, ...options }
      const detection = await detectDjango(tree, given)
      if (!detection) throw new Error('nothing was detected')
      const runtime = runtimeOf(interpreter)
      const { signal } = new AbortController()
      return inspectDjango({ tree, detection, runtime, options: given, signal })
    },
    remove: () => rm(root, { recursive: true, force: true }),
  }
}
