import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { SiteProber, siteProber, type SiteLimits, type SitePorts } from '@havn/checklist'
import { checkFiles } from '@havn/checklist/testing'
import type { CheckRule } from '@havn/plugin-api'
import { onTestFinished } from 'vitest'
import { rules as allRules } from '../src/rules/index.ts'

/** A server of TCP that answers as it is told, whatever it is asked. */
export interface TestSite {
  url: URL
  port: number
  /** What each connection sent. */
  requests: string[]
}

/** @param answer what to send for the head of a request; the connection is closed behind a text. */
export async function serveSite(
  answer: (request: string, socket: Socket) => string | void,
): Promise<TestSite> {
  const requests: string[] = []
  const server = createServer((socket) => {
    const at = requests.push('') - 1
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      const isFirst = requests[at] === ''
      requests[at] += chunk.toString('latin1')
      const text = isFirst ? answer(requests[at]!, socket) : undefined
      if (text !== undefined) socket.end(text, 'latin1')
    })
  })
  const port = await listen(server)
  return { url: new URL(`http://127.0.0.1:${port}`), port, requests }
}

export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** An answer whose length is right. */
export function page(body: string, headers = 'Content-Type: text/html\r\n', status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`
}

export interface CheckSiteOptions {
  /** Only these, and `http.unreachable`. */
  only?: readonly string[]
  ports?: SitePorts
  limits?: Partial<SiteLimits>
}

/** Runs the pack over a site; guesses and the slow rule are left out unless they are named. */
export async function checkSite(site: URL, { only, ports, limits }: CheckSiteOptions = {}) {
  const chosen = allRules.filter(({ id, confidence }) =>
    only === undefined ? confidence !== 'possible' : [...only, 'http.unreachable'].includes(id),
  )
  // Facts are known by their ids, and collected once: this one stands for the one of its name.
  const prober = new SiteProber(site, { ...(ports && { ports }), ...(limits && { limits }) })
  const fact = { ...siteProber, collect: async () => prober }
  const first: CheckRule = { ...chosen[0]!, id: 'test.prober', needs: { fact }, check() {} }
  const result = await checkFiles([first, ...chosen], {}, { site })
  const found = result.findings.map(({ rule }) => rule)
  const errored = result.rules.flatMap(({ rule, outcome, reason }) =>
    outcome === 'errored' ? [`${rule.id}: ${reason}`] : [],
  )
  return { ...result, found: [...new Set(found)].sort(), errored, used: prober.used }
}
