import { describe, expect, test } from 'vitest'
import { checkSite, page, serveSite } from './serve-site.ts'

const HTML = 'Content-Type: text/html\r\n'

/** A header of a request. */
function header(request: string, name: string): string | undefined {
  return new RegExp(`^${name}: ([^\\r\\n]*)`, 'im').exec(request)?.[1]
}

async function found(only: string[], answer: Parameters<typeof serveSite>[0]): Promise<string[]> {
  return (await checkSite((await serveSite(answer)).url, { only })).found
}

describe('what is believed of a client', () => {
  const trust = [
    'http.host-forged',
    'http.forwarded-host',
    'http.forwarded-for',
    'http.cors-reflected',
    'http.cors-null',
  ]

  test('a site that believes all', async () => {
    const seen = await found(trust, (request) => {
      const host = header(request, 'X-Forwarded-Host') ?? header(request, 'Host')
      const origin = header(request, 'Origin')
      const cors =
        origin === undefined
          ? ''
          : `Access-Control-Allow-Origin: ${origin}\r\nAccess-Control-Allow-Credentials: true\r\n`
      return page(`<a href="//${host}/">${header(request, 'X-Forwarded-For')}</a>`, HTML + cors)
    })
    expect(seen).toEqual([...trust].sort())
  })

  test('one that believes nothing, and quotes what it refuses', async () => {
    const seen = await found(trust, (request) =>
      request.includes('invalid')
        ? page(
            `Invalid host: ${header(request, 'Host')} ${header(request, 'X-Forwarded-Host')}`,
            HTML,
            '400 Bad Request',
          )
        : page('hi', `${HTML}Access-Control-Allow-Origin: *\r\n`),
    )
    expect(seen).toEqual([])
  })

  test('credentials make an error of it', async () => {
    const answer = (isOpen: boolean) => (request: string) =>
      page(
        'hi',
        `${HTML}Access-Control-Allow-Origin: ${header(request, 'Origin') ?? ''}\r\n${isOpen ? 'Access-Control-Allow-Credentials: true\r\n' : ''}`,
      )
    for (const isOpen of [true, false]) {
      const { findings } = await checkSite((await serveSite(answer(isOpen))).url, {
        only: ['http.cors-reflected'],
      })
      expect(findings.map(({ severity }) => severity)).toEqual([isOpen ? 'error' : 'warn'])
    }
  })

  test('TRACE, and an address of the inside', async () => {
    const seen = await found(['http.trace-method', 'http.internal-address'], (request) =>
      request.startsWith('TRACE')
        ? page(request, 'Content-Type: message/http\r\n')
        : request.includes('HTTP/1.0')
          ? page('', 'Location: http://10.0.3.17:8000/\r\n', '302 Found')
          : page('hi'),
    )
    expect(seen).toEqual(['http.internal-address', 'http.trace-method'])
  })
})

describe('the way to TLS', () => {
  const only = ['http.https-missing']

  test('a redirect to https of the same host is none of plain HTTP', async () => {
    expect(
      await found(only, () => page('', 'Location: https://127.0.0.1/\r\n', '301 Moved Permanently')),
    ).toEqual([])
    expect(await found(only, () => page('hi'))).toEqual(only)
    expect(await found(only, () => page('gone', HTML, '403 Forbidden'))).toEqual([])
  })

  test('a forged X-Forwarded-Proto keeps a redirect to a port away that is not asked', async () => {
    const door = page('', 'Location: https://127.0.0.1:8443/\r\n', '301 Moved Permanently')
    const forged = ['http.forwarded-proto']
    expect(
      await found(forged, (request) => (/^x-forwarded-proto: https/im.test(request) ? page('hi') : door)),
    ).toEqual(forged)
    expect(await found(forged, () => door)).toEqual([])
  })
})

test('of a redirect to another host no headers of pages are asked', async () => {
  const only = ['csp', 'frame', 'nosniff', 'referrer', 'permissions', 'opener'].map(
    (name) => `http.${name}-missing`,
  )
  const moved = 'Content-Type: text/html\r\nLocation: https://www.example.com/\r\n'
  expect(await found(only, () => page('<h1>Moved</h1>', moved, '301 Moved Permanently'))).toEqual([])
  expect(await found(only, () => page('hi', HTML, '404 Not Found'))).toEqual([...only].sort())
})

describe('how messages are read', () => {
  const parsing = [
    ...['http.smuggling-lengths', 'http.smuggling-encoding', 'http.header-controls', 'http.host-ambiguous'],
    ...['http.bare-line-feed', 'http.header-unbounded'],
  ]

  test('one that takes all', async () => {
    expect(await found(parsing, () => page('hi'))).toEqual([...parsing].sort())
  })

  test('one that refuses all, by an answer or without', async () => {
    for (const refusal of [page('no', HTML, '400 Bad Request'), '']) {
      let isFirst = true
      const seen = await found(parsing, () => {
        const text = isFirst ? page('hi') : refusal
        isFirst = false
        return text
      })
      expect(seen).toEqual([])
    }
  })

  test('each message ends at the same byte, however it is read', async () => {
    const site = await serveSite(() => page('hi'))
    await checkSite(site.url, { only: parsing })
    const bodies = site.requests.map((request) => {
      const [head = '', ...rest] = request.split('\r\n\r\n')
      return { head, body: rest.join('\r\n\r\n') }
    })
    for (const { head, body } of bodies) {
      if (/^content-length: 5$/im.test(head)) expect(body).toBe('0\r\n\r\n')
      else expect(body).toBe('')
    }
    expect(bodies.filter(({ body }) => body !== '').length).toBe(4)
  })
})

describe('what lies about', () => {
  const files: Record<string, string> = {
    '/.env': '# shop\nSECRET_KEY=hunter2\n',
    '/.git/HEAD': 'ref: refs/heads/main\n',
    '/db.sqlite3': 'SQLite format 3\0',
    '/metrics': '# HELP python_info Python\n# TYPE python_info gauge\n',
    '/server-status': '<title>Apache Status</title><h1>Apache Server Status for x</h1>',
    '/media/': '<title>Index of /media/</title>',
    '/admin/login/': '<title>Log in | Django administration</title>',
    '/openapi.json': '{"openapi":"3.1.0"}',
  }
  const only = [
    ...[
      'http.environment-public',
      'http.git-public',
      'http.backup-public',
      'http.metrics-public',
      'http.admin-public',
    ],
    ...['http.diagnostics-public', 'http.directory-listing', 'http.api-docs-public', 'http.traversal'],
  ]

  test('is found by what is in it', async () => {
    const { findings, found: seen } = await checkSite(
      (
        await serveSite((request) => {
          const path = request.split(' ')[1]!
          if (path.includes('etc/os-release'))
            return page('PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n', 'Content-Type: text/plain\r\n')
          const body = files[path]
          return body === undefined ? page('no', HTML, '404 Not Found') : page(body)
        })
      ).url,
      { only },
    )
    expect(seen).toEqual([...only].sort())
    expect(JSON.stringify(findings)).not.toContain('hunter2')
  })

  test('is not where every path has the same page', async () => {
    expect(await found(only, () => page('<!doctype html><div id="root"></div>'))).toEqual([])
  })
})

describe('errors', () => {
  test('tracebacks, in answers that are errors alone', async () => {
    const body = 'Traceback (most recent call last):\n  File "/srv/app.py", line 3'
    const only = ['http.stack-trace']
    expect(await found(only, () => page(body))).toEqual([])
    expect(
      await found(only, (request) =>
        request.startsWith('GET / ') ? page('hi') : page(body, HTML, '500 Oops'),
      ),
    ).toEqual(only)
  })
})

describe('slow heads', () => {
  test('one that waits, and one that does not', async () => {
    const only = ['http.slow-headers']
    const isSlow = (request: string) => request.includes('X-Slow')
    expect(await found(only, (request) => (isSlow(request) ? undefined : page('hi')))).toEqual(only)
    expect(
      await found(only, (request, socket) => {
        if (!isSlow(request)) return page('hi')
        setTimeout(() => socket.end(page('', HTML, '408 Request Timeout')), 300)
        return undefined
      }),
    ).toEqual([])
  }, 60_000)
})

test('a cookie is cached only where a shared cache may give it on unasked', async () => {
  const only = ['http.cookie-cached']
  const site = (control: string) =>
    found(only, () => page('hi', `${HTML}Set-Cookie: a=1\r\nCache-Control: ${control}\r\n`))
  for (const control of ['public', 'public, max-age=60', 'private, s-maxage=60', 'max-age=0, s-maxage=5'])
    expect([control, await site(control)]).toEqual([control, only])
  for (const control of [
    'public, max-age=0',
    'public, no-cache',
    'no-store',
    'private',
    's-maxage=0',
    'publicity',
  ])
    expect([control, await site(control)]).toEqual([control, []])
})

test('tokens in compressed pages are told, save those that are masked anew in each', async () => {
  const seen = (field: string) =>
    found(['http.compressed-secrets'], (request) =>
      page(
        `<form><input type="hidden" name="${field}" value="a"></form>`,
        /^accept-encoding:.*gzip/im.test(request) ? `${HTML}Content-Encoding: gzip\r\n` : HTML,
      ),
    )
  expect(await seen('_token')).toEqual(['http.compressed-secrets'])
  expect(await seen('csrfmiddlewaretoken')).toEqual([])
  expect(await seen('authenticity_token')).toEqual([])
})

test('prefixes of cookies hold in whatever letters', async () => {
  const only = ['http.cookie-prefix']
  const site = (cookie: string) => found(only, () => page('hi', `${HTML}Set-Cookie: ${cookie}\r\n`))
  expect(await site('__SECURE-id=1; HttpOnly')).toEqual(only)
  expect(await site('__host-id=1; Secure; Path=/shop')).toEqual(only)
  expect(await site('__HOST-id=1; Secure; Path=/')).toEqual([])
  expect(await site('x__Secure-id=1')).toEqual([])
})
