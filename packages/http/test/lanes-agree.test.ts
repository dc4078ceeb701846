import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exchange, startEcho, startPlainEcho } from './raw-exchange.ts'

const end = 'GET /end HTTP/1.1\r\nHost: end.test\r\nConnection: close\r\n\r\n'

/** Well-formed for the most part, with what parsers and rules disagree about. */
const target = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('/', '/a?b', '//evil/x', '/a/./b/%2e%2E/c') },
  {
    weight: 2,
    arbitrary: fc
      .array(
        fc.constantFrom(
          '/',
          'a',
          '..',
          '%2e',
          '%2f',
          '%00',
          '%zz',
          '?',
          '#',
          '\\',
          ' ',
          '\t',
          '\xe9',
          '\x7f',
          '*',
        ),
        { minLength: 1, maxLength: 5 },
      )
      .map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom('http://b.test/x', 'http://u@b.test/', '*', 'a.test:80') },
)
const header = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.constantFrom(
      ...[
        'Host: a.test',
        'host: b.test:80',
        'X-A: 1',
        'X-A:',
        'Cookie: \t a=b; c=d \t',
        'X_A: 1',
        'X-B: \xe9',
      ],
      ...['X-Forwarded-For: 1.2.3.4', 'X-Forwarded-Proto: https, http', 'X-Forwarded-Host: c.test'],
      ...['X-Forwarded-A_B: 1', 'Forwarded: for=1.2.3.4;host=d.test', 'Connection: keep-alive'],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[
        'Host: a.test',
        'Host: a/b',
        'Host:',
        'X-A : 1',
        ' folded',
        ': 1',
        'X',
        'X-A: a\0b',
        'X-A: a\rb',
        'X-A: a\nX-B: b',
      ],
      ...[
        'Connection: X-A',
        'TE: trailers',
        'Upgrade: h2c',
        'Keep-Alive: timeout=5',
        'Expect: x',
        'X-\xe9: 1',
      ],
    ),
  },
)
const request = fc
  .tuple(
    fc.constantFrom(...Array<string>(12).fill('GET'), 'HEAD', 'HEAD', 'DELETE', 'get', 'SOURCE', 'G T'),
    target,
    fc.constantFrom(...Array<string>(12).fill(' HTTP/1.1'), ' HTTP/1.0', '  HTTP/1.1', ' HTTP/2.0', ''),
    fc.array(header, { maxLength: 4 }),
    fc.constantFrom(true, true, true, true, true, false),
  )
  .map(([method, asked, version, headers, hasHost]) => {
    const lines = hasHost ? ['Host: a.test', ...headers] : headers
    return `${method} ${asked}${version}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
  })

test('both lanes serve and refuse the same, and understand it alike', { timeout: 120_000 }, async () => {
  const options = { trustedProxies: ['127.0.0.1'] }
  await using node = await startEcho(options)
  await using plain = await startPlainEcho(options)
  const outcomes = { served: 0, refused: 0, plain: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 3 }), async (requests) => {
      const bytes = requests.join('') + end
      const [one, other] = await Promise.all([exchange(node, bytes), exchange(plain, bytes)])
      const [ofNode, ofPlain] = [outcomeOf(one.text), outcomeOf(other.text)]
      expect(ofPlain).toEqual(ofNode)
      if (ofNode.statuses.every((status) => status === 200)) outcomes.served++
      else outcomes.refused++
      if (other.text.includes('X-Lane: plain')) outcomes.plain++
    }),
    {
      numRuns: 600,
      examples: [
        [['GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n', 'GET /a  HTTP/1.1\r\nHost: a.test\r\n\r\n']],
        [['GET /a  HTTP/1.1\r\nHost: a.test\r\n\r\n', 'GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n']],
      ],
    },
  )
  for (const times of Object.values(outcomes)) expect(times).toBeGreaterThan(30)
})

/** What was answered, in order, and what the handlers were told. */
function outcomeOf(text: string): { statuses: number[]; seen: unknown[] } {
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
  const seen = [...text.matchAll(/\{"target":\{.*?\},"body":"(?:[^"\\]|\\.)*"\}/g)].map(([json]) => {
    const { target: told, body } = JSON.parse(json) as { target: Record<string, unknown>; body: string }
    // Each connection has a port of its own.
    return { ...told, clientPort: 0, serverPort: 0, body }
  })
  return { statuses, seen }
}
