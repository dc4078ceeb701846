import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startPlatform } from '../src/index.ts'

/** An upstream of its own: a server that says its name. It is closed as a deployment would close it, connections last. */
async function startUpstream(name: string) {
  const server = createServer((_request, response) => void response.end(name))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
      }),
  }
}

function edgeTo(port: number): string {
  const upstream = { address: { type: 'tcp', host: '127.0.0.1', port } }
  const here = { match: { path: '/here' }, to: { type: 'respond', status: 200, body: 'here' } }
  return JSON.stringify({ bind: '127.0.0.1:0', edge: { upstream, routes: [here] } })
}

async function startProxy(config: string) {
  const directory = mkdtempSync(join(tmpdir(), 'havn-proxy-'))
  const file = join(directory, 'platform.config.json')
  writeFileSync(file, config)
  const program = startPlatform(['proxy', '--config', file, '--no-access-log'], { cwd: directory })
  onTestFinished(async () => {
    await program.dispose()
    rmSync(directory, { recursive: true })
  })
  const [, url = ''] = await program.waitFor(/Proxying on (http:\S+)/)
  let reloads = 0
  return {
    url,
    program,
    /** Writes the file anew, and waits until it is in force, or was refused. */
    async reload(next: string) {
      writeFileSync(file, next)
      program.kill('SIGHUP')
      reloads += 1
      await program.waitFor(new RegExp(`(?:(?:has been reloaded|error HAVN_ERR)[\\s\\S]*){${reloads}}`))
    },
  }
}

/** Linux: proc_pid_task(5). */
function childrenOf(pid: number): string {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
}

function ask(url: string, agent?: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (response) => {
      let text = `${response.statusCode} `
      response.on('data', (chunk: Buffer) => (text += chunk.toString())).once('end', () => resolve(text))
    })
      .once('error', reject)
      .end()
  })
}

describe('platform proxy', () => {
  test('swaps its upstream 20 times under load, and no request fails', async () => {
    let upstream = await startUpstream('0')
    const proxy = await startProxy(edgeTo(upstream.port))
    const agent = new Agent({ keepAlive: true })
    const answers = new Map<string, number>()
    let isOver = false
    const client = async () => {
      while (!isOver) {
        const answer = await ask(proxy.url, agent)
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      }
    }
    const clients = Promise.all(Array.from({ length: 8 }, client))
    for (let swap = 1; swap <= 20; swap++) {
      const next = await startUpstream(String(swap))
      await proxy.reload(edgeTo(next.port))
      await upstream.stop()
      upstream = next
      expect(await ask(proxy.url)).toBe(`200 ${swap}`)
    }
    isOver = true
    await clients
    agent.destroy()
    await upstream.stop()
    expect([...answers.keys()].filter((answer) => !answer.startsWith('200 '))).toEqual([])
    expect(answers.size).toBeGreaterThan(1)
  })

  test('keeps what it serves when the new file is wrong, and says what is wrong in it', async () => {
    const upstream = await startUpstream('app')
    onTestFinished(() => upstream.stop())
    const proxy = await startProxy(edgeTo(upstream.port))
    await proxy.reload(edgeTo(upstream.port).replace('"respond"', '"upstream","upstream":"gone"'))
    expect(proxy.program.output()).toContain('HAVN_ERR_')
    expect(await ask(`${proxy.url}here`)).toBe('200 here')
    expect(await ask(proxy.url)).toBe('200 app')
  })

  test('ends well when it is told to while it starts', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'havn-proxy-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const args = ['proxy', '--bind', '127.0.0.1:0', '--upstream', '127.0.0.1:9']
    const program = startPlatform(args, { cwd: directory })
    onTestFinished(() => program.dispose())
    // Its gateway process is there, and does not serve yet.
    await vi.waitUntil(() => childrenOf(program.pid) !== '', { timeout: 30_000, interval: 5 })
    program.kill('SIGTERM')
    expect((await program.finished).code).toBe(0)
  })

  test('refuses to start with a wrong file, before anything listens', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'havn-proxy-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const run = async (config: object) => {
      writeFileSync(join(directory, 'platform.config.json'), JSON.stringify(config))
      const program = startPlatform(['proxy', '--bind', '127.0.0.1:0'], { cwd: directory })
      onTestFinished(() => program.dispose())
      return program.finished
    }
    const none = await run({})
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('HAVN_ERR_PROXY_NOTHING')])
    const unknown = await run({ edge: { routes: [{ to: { type: 'upstream', upstream: 'api' } }] } })
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('HAVN_ERR_EDGE_UPSTREAM_UNKNOWN'),
    ])
  })
})
