import { formatText } from '@havn/checklist'
import { describe, expect, test } from 'vitest'
import { checkSite, page, serveSite } from './serve-site.ts'
import { rules } from '../src/rules/index.ts'

const all = rules.map(({ id }) => id)

describe('a site is asked gently', () => {
  test('by at most 60 requests, four at a time, that change nothing and say who asks', async () => {
    const body = '<script src="/static/a.js"></script><link rel="stylesheet" href="/static/b.css">'
    let unanswered = 0
    let peak = 0
    const site = await serveSite((request, socket) => {
      peak = Math.max(peak, ++unanswered)
      setTimeout(() => {
        unanswered--
        socket.end(page(request.startsWith('HEAD') ? '' : body))
      }, 10)
    })
    const { used, errored } = await checkSite(site.url, { only: all })
    expect(errored).toEqual([])
    expect(used).toBe(site.requests.length)
    expect(site.requests.length).toBeGreaterThan(40)
    expect(site.requests.length).toBeLessThanOrEqual(60)
    expect(peak).toBe(4)
    for (const request of site.requests) {
      expect(request).toMatch(/^(?:GET|HEAD|TRACE) \//)
      if (request.includes('HTTP/1.1\r\n')) expect(request).toContain('User-Agent: HavnCheck/0.1')
    }
  }, 60_000)

  test('and not one more than its budget', async () => {
    const site = await serveSite(() => page('hi'))
    const { errored } = await checkSite(site.url, { limits: { maxProbes: 10 } })
    expect(site.requests.length).toBe(10)
    expect(errored.length).toBeGreaterThan(0)
    for (const each of errored) expect(each).toContain('All 10 probes are used up')
  })

  test('for no longer than it is told to', async () => {
    const site = await serveSite((_, socket) => void setTimeout(() => socket.end(page('hi')), 100))
    const { errored } = await checkSite(site.url, { limits: { totalMs: 300 } })
    expect(site.requests.length).toBeLessThan(40)
    expect(errored.join()).toContain('that is enough')
  })

  test('hosts and ports that nobody named are recorded, and not asked', async () => {
    const other = await serveSite(() => page('other'))
    const site = await serveSite(() =>
      page('', `Location: http://127.0.0.1:${other.port}/x\r\n`, '302 Found'),
    )
    const { found } = await checkSite(site.url)
    expect(found).toContain('http.redirect-foreign')
    expect(other.requests).toEqual([])
  })

  test('redirects within the site are followed', async () => {
    const site = await serveSite((request) =>
      request.startsWith('GET / ')
        ? page('', 'Location: /en/\r\n', '302 Found')
        : page('hi', 'Content-Type: text/html\r\nX-Powered-By: a\r\n'),
    )
    const { findings } = await checkSite(site.url, { only: ['http.version-banner'] })
    expect(findings.map(({ resource }) => resource)).toEqual([`${site.url.origin}/en/`])
  })

  test('evidence has no values of cookies, nor queries', async () => {
    const headers =
      'Content-Type: text/html\r\nSet-Cookie: sessionid=hunter2; Path=/\r\nX-Api-Key: hunter2\r\nLink: </a?t=hunter2>\r\n'
    const site = await serveSite(() => page('hunter2', headers))
    const result = await checkSite(site.url)
    const text = formatText(result, { isColored: false })
    expect(text).toContain('sessionid=…; Path=/')
    expect(JSON.stringify(result.findings)).not.toContain('hunter2')
  })
})

describe('sites that behave badly', () => {
  const outcomes: Record<string, [Parameters<typeof serveSite>[0], RegExp]> = {
    'one that never answers': [() => {}, /did not answer in time/],
    'one that hangs up': [(_, socket) => void socket.destroy(), /closed the connection/],
    'one that resets': [(_, socket) => void socket.resetAndDestroy(), /closed the connection/],
    'one that speaks something else': [() => '220 mail.example.com ESMTP\r\n', /no HTTP/],
    'headers without end': [
      (_, socket) => {
        socket.write('HTTP/1.1 200 OK\r\n')
        const timer = setInterval(() => socket.write(`X-A: ${'a'.repeat(60_000)}\r\n`), 5)
        socket.on('close', () => clearInterval(timer))
      },
      /no HTTP/,
    ],
    'a status line that is none': [() => 'HTTP/1.1 abc\r\n\r\n', /no HTTP/],
    'half a head': [() => 'HTTP/1.1 200 OK\r\nContent-Ty', /no HTTP/],
  }
  test.each(Object.entries(outcomes))('%s', async (_, [answer, message]) => {
    const site = await serveSite(answer)
    const { findings, rules: results } = await checkSite(site.url, { limits: { probeMs: 500 } })
    expect(findings.map(({ rule }) => rule)).toEqual(['http.unreachable'])
    expect(findings[0]!.message).toMatch(message)
    const others = results.filter(({ rule }) => rule.id.startsWith('http.') && rule.id !== 'http.unreachable')
    // What needs only the way there may pass: there was none.
    for (const { outcome, rule } of others)
      expect([rule.id, outcome]).toEqual([
        rule.id,
        Object.keys(rule.needs).join() === 'siteHome' ? 'passed' : 'skipped',
      ])
  })

  test('a port that nobody listens on', async () => {
    const { findings } = await checkSite(new URL('http://127.0.0.1:1'))
    expect(findings.map(({ rule, message }) => `${rule} ${message}`)).toEqual([
      'http.unreachable connect ECONNREFUSED 127.0.0.1:1.',
    ])
  })

  test('no TLS where TLS is to be', async () => {
    const site = await serveSite(() => page('hi'))
    const { found } = await checkSite(new URL(`https://127.0.0.1:${site.port}`), {
      limits: { probeMs: 1_000 },
    })
    expect(found).toEqual(['http.unreachable'])
  })

  test('a body of a gigabyte, and chunks without end', async () => {
    const piece = Buffer.alloc(64 * 1024, 'a')
    let sent = 0
    const site = await serveSite((request, socket) => {
      const isChunked = !request.startsWith('GET / ')
      socket.write(
        `HTTP/1.1 200 OK\r\n${isChunked ? 'Transfer-Encoding: chunked' : 'Content-Length: 1073741824'}\r\n\r\n`,
      )
      const write = () => {
        while (!socket.destroyed && socket.write(isChunked ? `10000\r\n${piece}\r\n` : piece))
          sent += piece.length
      }
      socket.on('drain', write)
      write()
    })
    const { errored } = await checkSite(site.url, {
      only: ['http.nosniff-missing', 'http.environment-public', 'http.git-public'],
    })
    expect(errored).toEqual([])
    expect(sent).toBeLessThan(200 * 1024 * 1024)
  })

  test('one that falls silent after its first page is no pass', async () => {
    const site = await serveSite((request) =>
      request.includes('\r\nAccept: ') && site.requests.length === 1 ? page('hi') : undefined,
    )
    const { errored, rules: results } = await checkSite(site.url, { limits: { probeMs: 300 } })
    expect(errored.some((each) => each.startsWith('http.git-public'))).toBe(true)
    expect(results.find(({ rule }) => rule.id === 'http.git-public')!.outcome).toBe('errored')
    expect(site.requests.length).toBeLessThan(12)
  })

  test('redirects in a circle, and ever on', async () => {
    let count = 0
    const circle = await serveSite((request) =>
      page('', `Location: ${request.startsWith('GET /a ') ? '/' : '/a'}\r\n`, '302 Found'),
    )
    const on = await serveSite(() => page('', `Location: /${count++}\r\n`, '302 Found'))
    for (const site of [circle, on]) {
      const { found } = await checkSite(site.url, { only: ['http.redirect-loop'] })
      expect(found).toEqual(['http.redirect-loop'])
      expect(site.requests.length).toBeLessThanOrEqual(6)
    }
  })
})
