import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensureDebian, findProgram, requirePart } from '@havn/tools/parts'
import { expect, onTestFinished, test } from 'vitest'
import { startServer } from './http2-client.ts'

const run = promisify(execFile)
const curl = await requirePart('curl with HTTP/2', async () => {
  const program = await findProgram('curl')
  const { stdout } = await run(program ?? 'curl', ['--version'])
  if (!stdout.includes('HTTP2')) throw new Error('this curl has no HTTP/2')
  return program!
})
const nghttp = await requirePart('nghttp', () => ensureDebian('nghttp', 'nghttp2-client'))
const h2load = await requirePart('h2load', () => ensureDebian('h2load', 'nghttp2-client'))

/** Answers with the digest of a body, a large body, or a few bytes. */
async function start(): Promise<string> {
  const large = Buffer.alloc(1_000_000, 'x')
  const server = await startServer(
    async (request, response, { path }) => {
      if (path === '/large') return void response.end(large)
      const digest = createHash('sha256')
      for await (const part of request) digest.update(part)
      response.end(digest.digest('hex'))
    },
    { limits: { maxHeaderBytes: 8_192, maxHeaders: 20, maxTargetBytes: 1_000, maxBodyBytes: 10_000_000 } },
  )
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test.skipIf(curl === null)(
  'curl: requests, bodies both ways, and HTTP/1.1 where it asks for that',
  async () => {
    const url = await start()
    const folder = await mkdtemp(join(tmpdir(), 'havn-http2-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const file = join(folder, 'body')
    const body = Buffer.alloc(3_000_000, 'abcdefg')
    writeFileSync(file, body)
    const digest = createHash('sha256').update(body).digest('hex')
    const ask = async (...args: string[]) => {
      const { stdout } = await run(curl!, ['-sSk', '--max-time', '20', '-w', ' %{http_version}', ...args])
      return stdout
    }

    expect(await ask('--http2', '--data-binary', `@${file}`, url)).toBe(`${digest} 2`)
    // A body of unknown length, after 100 Continue.
    expect(await ask('--http2', '-H', 'Expect: 100-continue', '-T', file, '-H', 'Content-Length:', url)).toBe(
      `${digest} 2`,
    )
    expect(await ask('--http1.1', '-T', file, url)).toBe(`${digest} 1.1`)
    expect(await ask('--http2', '-I', '-o', '/dev/null', url)).toBe(' 2')
    expect(await ask('--http2', '-o', '/dev/null', '-w', '%{size_download}', `${url}/large`)).toMatch(
      /1000000/,
    )
    // One connection for many requests, one behind another.
    const targets = Array.from({ length: 5 }, () => ['-o', '/dev/null', `${url}/large`]).flat()
    const many = await ask('--http2', '-w', '%{num_connects} ', ...targets)
    expect(many).toBe('1 0 0 0 0 ')
  },
)

test.skipIf(nghttp === null)('nghttp: many streams of one connection', async () => {
  const url = await start()
  const { stdout } = await run(nghttp!, ['-n', '-s', '-m', '50', `${url}/large`, `${url}/`], {
    maxBuffer: 1e8,
  })
  expect(stdout.match(/ 200 .*\/large$/gm)).toHaveLength(50)
})

test.skipIf(h2load === null)('h2load: connections with many streams each, none of which fails', async () => {
  const url = await start()
  const { stdout } = await run(h2load!, ['-n', '2000', '-c', '10', '-m', '50', `${url}/`])
  expect(stdout).toContain(
    '2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout',
  )
})
