import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import ts from 'typescript'

/**
 * Makes what is published: of the package in the working directory, or of every package when that is the workspace.
 * `dist/` in a package mirrors the package, with JavaScript and declarations in place of TypeScript, so that paths
 * relative to a module stay true. With `--out DIR` it is `DIR/<package's folder in the workspace>` instead.
 */
const workspace = resolve(import.meta.dirname, '../..')

/** Folders and files that are published as they are, where a package has them. */
const assets = ['bin', 'python', 'schema', 'templates', 'README.md']

interface Manifest {
  private?: boolean
  exports?: Record<string, string>
  havn?: { plugins: { entry: string }[] }
  scripts?: unknown
  nx?: unknown
  devDependencies?: unknown
}

const { out } = parseArgs({ options: { out: { type: 'string' } } }).values
const packages = packagesIn(process.cwd())
for (const directory of packages) await rm(distOf(directory), { recursive: true, force: true })
emitSources(packages)
for (const directory of packages) {
  await copyAssets(directory)
  await writeManifest(directory)
}

/** One program checks and emits all packages: most of a program's time goes to what packages share. */
function packagesIn(directory: string): string[] {
  if (directory !== workspace) return [directory]
  return globSync('{packages,plugins}/*/package.json', { cwd: workspace })
    .filter((file) => !(JSON.parse(readFileSync(join(workspace, file), 'utf8')) as Manifest).private)
    .map((file) => join(workspace, dirname(file)))
    .sort()
}

function distOf(directory: string): string {
  return out === undefined ? join(directory, 'dist') : resolve(out, relative(workspace, directory))
}

function emitSources(directories: readonly string[]): void {
  const { config } = ts.readConfigFile(join(workspace, 'tsconfig.base.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, workspace)
  const homes = new Map(directories.flatMap((home) => sourcesOf(home).map((file) => [file, home] as const)))
  const program = ts.createProgram([...homes.keys()], {
    ...options,
    noEmit: false,
    declaration: true,
    allowImportingTsExtensions: false,
    rootDir: workspace,
    outDir: workspace,
    types: ['node'],
    typeRoots: [join(workspace, 'node_modules/@types')],
  })
  const homeOf = (file: ts.SourceFile | undefined) => file && homes.get(resolve(file.fileName))
  const emitted = program.emit(undefined, (path, text, _bom, _error, from) => {
    const home = from?.map(homeOf).find((found) => found !== undefined)
    if (home === undefined) return
    const target = join(distOf(home), relative(home, path))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, text)
  })
  const errors = [...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics].filter(
    ({ file }) => !file || homeOf(file),
  )
  if (errors.length === 0) return
  console.error(
    ts.formatDiagnostics(errors, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => workspace,
      getNewLine: () => '\n',
    }),
  )
  process.exit(1)
}

function sourcesOf(directory: string): string[] {
  return globSync('src/**/*.ts', { cwd: directory })
    .filter((file) => !/\.(test|test-d)\.ts$/.test(file) && !/(^|\/)fixtures\//.test(file))
    .map((file) => join(directory, file))
}

async function copyAssets(directory: string): Promise<void> {
  const dist = distOf(directory)
  await mkdir(dist, { recursive: true })
  await cp(join(workspace, 'LICENSE'), join(dist, 'LICENSE'))
  for (const name of assets) {
    await cp(join(directory, name), join(dist, name), {
      recursive: true,
      filter: (path) => !path.includes('__pycache__'),
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
  for (const file of globSync('src/**/*.{py,json,html,css}', { cwd: directory })) {
    await mkdir(dirname(join(dist, file)), { recursive: true })
    await cp(join(directory, file), join(dist, file))
  }
}

async function writeManifest(directory: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Manifest
  const {
    scripts: _scripts,
    nx: _nx,
    devDependencies: _devDependencies,
    exports = {},
    havn,
    ...rest
  } = manifest
  const published = {
    ...rest,
    exports: Object.fromEntries(
      Object.entries(exports).map(([name, source]) => [
        name,
        { types: source.replace(/\.ts$/, '.d.ts'), default: toJavaScript(source) },
      ]),
    ),
    ...(havn && {
      havn: { plugins: havn.plugins.map((plugin) => ({ ...plugin, entry: toJavaScript(plugin.entry) })) },
    }),
    publishConfig: { access: 'public' },
  }
  await writeFile(join(distOf(directory), 'package.json'), JSON.stringify(published, null, 2) + '\n')
}

function toJavaScript(path: string): string {
  return path.replace(/\.ts$/, '.js')
}
