import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ensurePython } from '@havn/tools/parts'
import { freePort, startPlatform, startProgram } from '../../src/index.ts'
import type { RunningProgram } from '../../src/index.ts'

/** What an app saw: method, path, query, Host, body. */
export type Seen = [method: string, path: string, query: string, host: string, body: string]

/** An edge, whatever answers behind it, and what that has seen. */
export interface Agreement {
  port: number
  seen(): Seen[]
  forget(): void
  stop(): Promise<void>
}

interface UpstreamInput {
  python: string
  directory: string
  env: Record<string, string>
  port: number
}

type StartUpstream = ((input: UpstreamInput) => Promise<RunningProgram>) | null

/** Who stands before the app, and what answers behind it: nothing that they read differently may pass. */
export const ways = [
  ['platform proxy, gunicorn', startGunicorn],
  ['platform proxy, uvicorn', startUvicorn],
  ['platform proxy, gateway', startGateway],
  ['edge in the gateway', null],
] as const

/** Starts one of the ways; with a certificate, the edge speaks TLS. */
export async function startAgreement(
  startUpstream: StartUpstream,
  tls?: { cert: string; key: string },
): Promise<Agreement> {
  const directory = mkdtempSync(join(tmpdir(), 'havn-agreement-'))
  const seenFile = join(directory, 'seen')
  const programs: RunningProgram[] = []
  const stop = async () => {
    for (const program of programs.reverse()) await program.dispose()
    rmSync(directory, { recursive: true })
  }
  try {
    const python = await ensurePython(['gunicorn', 'uvicorn'])
    writeFileSync(join(directory, 'app.py'), readFileSync(join(import.meta.dirname, 'app.py')))
    const port = await freePort()
    const env = { SEEN: seenFile }
    const upstreamPort = await freePort()
    if (startUpstream !== null)
      programs.push(await startUpstream({ python, directory, env, port: upstreamPort }))
    const door = ['--bind', `127.0.0.1:${port}`, '--no-access-log']
    if (tls !== undefined) door.push('--tls-cert', tls.cert, '--tls-key', tls.key)
    const program =
      startUpstream === null
        ? startPlatform(['up', '.', ...door], { cwd: writeConfig(directory, python), env })
        : startPlatform(['proxy', '--upstream', `127.0.0.1:${upstreamPort}`, ...door], { cwd: directory })
    programs.push(program)
    await program.waitFor(startUpstream === null ? /Ctrl-C stops it/ : / on https?:\S+/)
    const forget = () => writeFileSync(seenFile, '')
    forget()
    return { port, seen: () => readSeen(seenFile), forget, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function readSeen(file: string): Seen[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Seen)
}

async function startGunicorn({ python, directory, env, port }: UpstreamInput): Promise<RunningProgram> {
  const args = ['-b', `127.0.0.1:${port}`, '-k', 'gthread', '--threads', '4', 'app:wsgi']
  const program = startProgram(join(dirname(python), 'gunicorn'), args, { cwd: directory, env })
  await program.waitFor(/Booting worker/)
  return program
}

async function startUvicorn({ python, directory, env, port }: UpstreamInput): Promise<RunningProgram> {
  const args = ['--host', '127.0.0.1', '--port', String(port), 'app:asgi']
  const program = startProgram(join(dirname(python), 'uvicorn'), args, { cwd: directory, env })
  await program.waitFor(/Uvicorn running/)
  return program
}

async function startGateway({ python, directory, env, port }: UpstreamInput): Promise<RunningProgram> {
  const bind = ['--bind', `127.0.0.1:${port}`, '--no-access-log']
  const program = startPlatform(['serve', 'app:wsgi', '--python', python, ...bind], { cwd: directory, env })
  await program.waitFor(/ on http:\S+/)
  return program
}

/** An edge that has something to do with every request. */
function writeConfig(directory: string, python: string): string {
  const config = {
    app: { entry: 'app:wsgi', interface: 'wsgi', python, healthPath: '/health' },
    edge: { security: { profile: 'basic' } },
  }
  writeFileSync(join(directory, 'platform.config.json'), JSON.stringify(config))
  return directory
}
