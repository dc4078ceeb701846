import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openSourceTree } from '@havn/plugin-api'
import type { Fact, FactContext } from '@havn/plugin-api'
import { platformConfigSchema } from '@havn/model'
import { djangoProjects } from '../src/index.ts'
import type { DjangoProject } from '../src/index.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

export interface TestProject {
  root: string
  /** Text of settings.py, as Django made it. */
  settings: string
  write(path: string, text: string | Buffer): Promise<void>
  read(options?: { python?: string; environment?: Record<string, string> }): Promise<DjangoProject>
  readAll(options?: Parameters<TestProject['read']>[0]): Promise<readonly DjangoProject[]>
  remove(): Promise<void>
}

/** A project as `django-admin startproject` makes it, in a folder of its own. */
export async function createProject(interpreter: string): Promise<TestProject> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'havn-facts-')))
  execFileSync(interpreter, ['-m', 'django', 'startproject', 'shop', root])
  const project: TestProject = {
    root,
    settings: await readFile(join(root, 'shop/settings.py'), 'utf8'),
    async write(path, text) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), text)
    },
    async read(options) {
      const [first] = await project.readAll(options)
      if (first === undefined) throw new Error('There is no Django project.')
      return first
    },
    async readAll({ python = interpreter, environment = {} } = {}) {
      const context: FactContext = {
        tree: await openSourceTree(root),
        environment,
        config: platformConfigSchema.parse({ app: { python } }),
        site: null,
        logger: silent,
        signal: new AbortController().signal,
      }
      return (await collect(djangoProjects, context)) ?? []
    },
    remove: () => rm(root, { recursive: true, force: true }),
  }
  return project
}

function collect<Value>(fact: Fact<Value>, context: FactContext): Promise<Value | null> {
  const get = <Other>(other: Fact<Other>) => collect(other, context)
  return fact.collect({ ...context, get })
}
