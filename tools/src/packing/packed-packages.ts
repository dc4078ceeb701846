import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const workspace = resolve(import.meta.dirname, '../../..')

/** A package as it would be published. */
export interface PackedPackage {
  name: string
  /** Folder of the package in the workspace. */
  source: string
  /** What the build made. */
  dist: string
  tarball: string
  manifest: PublishedManifest
}

/** What is read of a published package.json. */
export interface PublishedManifest {
  name: string
  version: string
  exports: Record<string, { types: string; default: string }>
  dependencies?: Record<string, string>
  havn?: { plugins: { id: string; entry: string }[] }
}

/** Names of the packages that are published, in no particular order. */
export function publishableNames(): string[] {
  return globSync('{packages,plugins}/*/package.json', { cwd: workspace })
    .map(
      (file) =>
        JSON.parse(readFileSync(join(workspace, file), 'utf8')) as { name: string; private?: boolean },
    )
    .filter((manifest) => !manifest.private)
    .map(({ name }) => name)
}

/** Builds and packs every publishable package into `directory`. */
export async function packPackages(directory: string): Promise<PackedPackage[]> {
  const built = join(directory, 'dist')
  const tarballs = join(directory, 'tarballs')
  await run(process.execPath, [join(workspace, 'tools/src/build.ts'), '--out', built], { cwd: workspace })
  const folders: string[] = []
  for (const group of ['packages', 'plugins']) {
    for (const name of await readdir(join(built, group))) folders.push(join(group, name))
  }
  await mkdir(tarballs)
  const stdout = await npm(
    ['pack', '--json', '--pack-destination', tarballs, ...folders.map((folder) => join(built, folder))],
    tarballs,
  )
  const packed = JSON.parse(stdout) as { filename: string; name: string }[]
  return Promise.all(
    packed.map(async ({ name, filename }, index) => {
      const dist = join(built, folders[index]!)
      const manifest = JSON.parse(await readFile(join(dist, 'package.json'), 'utf8')) as PublishedManifest
      if (manifest.name !== name) throw new Error(`npm packed ${name} for ${manifest.name}`)
      return {
        name,
        source: join(workspace, folders[index]!),
        dist,
        tarball: join(tarballs, filename),
        manifest,
      }
    }),
  )
}

/** Packs one folder. @returns the tarball's path. */
export async function packFolder(folder: string, destination: string): Promise<string> {
  const stdout = await npm(['pack', '--json', '--pack-destination', destination, folder], destination)
  const [packed] = JSON.parse(stdout) as { filename: string }[]
  return join(destination, packed!.filename)
}

/**
 * Installs dependencies into a project that has nothing else. Whatever of them, or of theirs, is ours comes from
 * its tarball, never from the registry.
 *
 * @param dependencies names to versions; a tarball's path, or one of our names with `*`.
 * @returns the project's folder, within `directory`.
 */
export async function installProject(
  directory: string,
  packages: readonly PackedPackage[],
  dependencies: Readonly<Record<string, string>>,
): Promise<string> {
  const project = await mkdtemp(join(directory, 'project-'))
  const ours = Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]))
  const manifest = {
    name: 'empty-project',
    private: true,
    type: 'module',
    dependencies: Object.fromEntries(
      Object.entries(dependencies).map(([name, version]) => [name, ours[name] ?? version]),
    ),
    overrides: ours,
  }
  await writeFile(join(project, 'package.json'), JSON.stringify(manifest, null, 2) + '\n')
  await npm(['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'], project)
  return project
}

/** A folder for all of this, in the system's place for temporary files. */
export async function createPackingDirectory(): Promise<{ directory: string; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'havn-packages-'))
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) }
}

/** An environment as a shell has it: without what an npm script or a test runner adds; `node` is this one. */
export function shellEnvironment(node = process.execPath): NodeJS.ProcessEnv {
  const added =
    /^(npm_(lifecycle|package|command|execpath|node_execpath|config_local_prefix)|INIT_CWD|VITEST|NODE_(ENV|OPTIONS|PATH)$)/
  const kept = Object.entries(process.env).filter(([name]) => !added.test(name))
  return {
    ...Object.fromEntries(kept),
    PATH: [dirname(node), process.env['PATH']].join(delimiter),
    NO_COLOR: '1',
  }
}

async function npm(args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await run('npm', args, { cwd, env: shellEnvironment(), maxBuffer: 64 * 1024 * 1024 })
  return stdout
}
