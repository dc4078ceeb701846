import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'

/**
 * Makes what is published of the package in the working directory: `dist/` mirrors the package, with JavaScript
 * and declarations in place of TypeScript, so that paths relative to a module stay true.
 */
const workspace = resolve(import.meta.dirname, '../..')
const packageDirectory = process.cwd()
const dist = join(packageDirectory, 'dist')

/** Folders and files that are published as they are, where a package has them. */
const assets = ['bin', 'python', 'schema', 'templates', 'README.md']

interface Manifest {
  exports?: Record<string, string>
  havn?: { plugins: { entry: string }[] }
  scripts?: unknown
  nx?: unknown
  devDependencies?: unknown
}

await rm(dist, { recursive: true, force: true })
emitSources()
await copyAssets()
await writeManifest()

function emitSources(): void {
  const { config } = ts.readConfigFile(join(workspace, 'tsconfig.base.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, workspace)
  const sources = globSync('src/**/*.ts', { cwd: packageDirectory })
    .filter((file) => !/\.(test|test-d)\.ts$/.test(file))
    .map((file) => join(packageDirectory, file))
  const program = ts.createProgram(sources, {
    ...options,
    noEmit: false,
    declaration: true,
    allowImportingTsExtensions: false,
    rootDir: workspace,
    outDir: workspace,
    types: ['node'],
    typeRoots: [join(workspace, 'node_modules/@types')],
  })
  const own = new Set(sources)
  const errors = ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file && own.has(resolve(file.fileName)))
  const emitted = program.emit(undefined, (path, text, _bom, _error, from) => {
    if (!from?.some(({ fileName }) => own.has(resolve(fileName)))) return
    const target = join(dist, relative(packageDirectory, path))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, text)
  })
  errors.push(...emitted.diagnostics.filter(({ file }) => file && own.has(resolve(file.fileName))))
  if (errors.length > 0) {
    const host = {
      getCanonicalFileName: (name: string) => name,
      getCurrentDirectory: () => packageDirectory,
      getNewLine: () => '\n',
    }
    console.error(ts.formatDiagnostics(errors, host))
    process.exit(1)
  }
}

async function copyAssets(): Promise<void> {
  for (const name of assets) {
    await cp(join(packageDirectory, name), join(dist, name), {
      recursive: true,
      filter: (path) => !path.includes('__pycache__'),
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
  for (const file of globSync('src/**/*.{py,json,html,css}', { cwd: packageDirectory })) {
    await mkdir(dirname(join(dist, file)), { recursive: true })
    await cp(join(packageDirectory, file), join(dist, file))
  }
}

async function writeManifest(): Promise<void> {
  const manifest = JSON.parse(await readFile(join(packageDirectory, 'package.json'), 'utf8')) as Manifest
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
  }
  await writeFile(join(dist, 'package.json'), JSON.stringify(published, null, 2) + '\n')
}

function toJavaScript(path: string): string {
  return path.replace(/\.ts$/, '.js')
}
