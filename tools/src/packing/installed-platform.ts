import { createHash } from 'node:crypto'
import { globSync, readFileSync, statSync } from 'node:fs'
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { withLock } from '../parts/lock.ts'
import { partsDirectory } from '../parts/parts-directory.ts'
import { installProject, packPackages } from './packed-packages.ts'

const workspace = resolve(import.meta.dirname, '../../..')
const unusedAfterMs = 24 * 60 * 60_000

/** All that the packed packages are made from. */
const sources = [
  '{packages,plugins}/*/package.json',
  '{packages,plugins}/*/{src,bin,python,schema,templates}/**/*',
  'package-lock.json',
  'tools/src/build.ts',
]

/**
 * Builds, packs and installs `@havn/platform` as a user would have it from npm: once for each state of the sources.
 *
 * @returns the absolute path of the command's script, for `node`.
 */
export async function ensureInstalledPlatform(): Promise<string> {
  const parts = await partsDirectory()
  const directory = join(parts, `platform-${hashSources()}`)
  const finished = join(directory, 'installed')
  if (await exists(finished)) return readFile(finished, 'utf8')

  return withLock(`${directory}.lock`, async () => {
    if (await exists(finished)) return readFile(finished, 'utf8')
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory, { recursive: true })
    const packages = await packPackages(directory)
    const project = await installProject(directory, packages, { '@havn/platform': '*' })
    for (const made of ['dist', 'tarballs']) await rm(join(directory, made), { recursive: true })
    await removeUnused(parts, directory)
    const script = join(project, 'node_modules/@havn/platform/bin/platform.mjs')
    await access(script)
    await writeFile(finished, script)
    return script
  })
}

function hashSources(): string {
  const hash = createHash('sha256')
  const files = sources.flatMap((pattern) => globSync(pattern, { cwd: workspace }))
  for (const file of files.filter((each) => !each.includes('__pycache__')).sort()) {
    const path = join(workspace, file)
    if (statSync(path).isFile()) hash.update(`${relative(workspace, path)}\0`).update(readFileSync(path))
  }
  return hash.digest('hex').slice(0, 12)
}

/** Earlier states of the sources, a day after they were installed: another checkout may be measuring one right now. */
async function removeUnused(parts: string, kept: string): Promise<void> {
  for (const name of globSync('platform-*/installed', { cwd: parts })) {
    const directory = resolve(parts, name, '..')
    const isOld = Date.now() - statSync(join(parts, name)).mtimeMs > unusedAfterMs
    if (directory !== kept && isOld) await rm(directory, { recursive: true, force: true })
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
