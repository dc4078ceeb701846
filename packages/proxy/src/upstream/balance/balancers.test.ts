import fc from 'fast-check'
import type { RequestTarget } from '@havn/http'
import type { Balance } from '@havn/model'
import { describe, expect, it } from 'vitest'
import { requestTarget } from '../../../../http/test/request-target.ts'
import { createBalancer } from './balancer.ts'

interface Server {
  id: string
  weight: number
  load: number
}

const asked = (headers: string[] = [], more: Partial<RequestTarget> = {}): RequestTarget =>
  requestTarget({ headers, ...more })

const server = (id: string, weight = 1, load = 0): Server => ({ id, weight, load })
const servers = fc
  .array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 })
  .map((weights) => weights.map((weight, at) => server(`server-${at}`, weight)))

const all: Balance[] = [
  { type: 'round-robin' },
  { type: 'least-connections' },
  { type: 'hash', key: 'client' },
  { type: 'sticky', cookie: 'at' },
]

describe.each(all)('any balancer ($type)', (balance) => {
  it('picks one of the candidates, whichever they are from one time to the next', () => {
    fc.assert(
      fc.property(servers, fc.array(fc.nat(255), { maxLength: 20 }), (group, masks) => {
        const balancer = createBalancer(balance)
        for (const mask of masks) {
          const candidates = group.filter((_server, at) => (mask & (1 << at)) !== 0)
          if (candidates.length > 0) expect(candidates).toContain(balancer.pick(candidates, asked()))
        }
      }),
    )
  })
})

describe('round robin', () => {
  it('gives each server its weight in every round, wherever the round begins', () => {
    fc.assert(
      fc.property(servers, fc.nat(100), (group, skipped) => {
        const balancer = createBalancer({ type: 'round-robin' })
        for (let n = 0; n < skipped; n++) balancer.pick(group, asked())
        const counts = new Map<string, number>()
        const total = group.reduce((sum, { weight }) => sum + weight, 0)
        for (let n = 0; n < total; n++) {
          const { id } = balancer.pick(group, asked())
          counts.set(id, (counts.get(id) ?? 0) + 1)
        }
        for (const { id, weight } of group) expect(counts.get(id)).toBe(weight)
      }),
    )
  })

  it('puts others in between the turns of a heavy server', () => {
    const balancer = createBalancer({ type: 'round-robin' })
    const group = [server('a', 5), server('b'), server('c')]
    expect(Array.from({ length: 7 }, () => balancer.pick(group, asked()).id).join('')).toBe('aabacaa')
  })
})

describe('least connections', () => {
  it('never picks a server that would have more for its weight than another', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ weight: fc.integer({ min: 1, max: 9 }), load: fc.nat(99) }), { minLength: 1 }),
        (shapes) => {
          const group = shapes.map(({ weight, load }, at) => server(`${at}`, weight, load))
          const picked = createBalancer({ type: 'least-connections' }).pick(group, asked())
          const after = ({ load, weight }: Server) => (load + 1) / weight
          expect(after(picked)).toBe(Math.min(...group.map(after)))
        },
      ),
    )
  })

  it('lets servers take turns that are equally idle', () => {
    const balancer = createBalancer({ type: 'least-connections' })
    const group = [server('a'), server('b'), server('c')]
    const picked = Array.from({ length: 6 }, () => balancer.pick(group, asked()).id)
    expect(picked.sort().join('')).toBe('aabbcc')
  })
})

describe('consistent hash', () => {
  const byPath = (): ReturnType<typeof createBalancer> => createBalancer({ type: 'hash', key: 'path' })
  const at = (path: string) => asked([], { path })

  it('moves only the keys of a server that leaves', () => {
    fc.assert(
      fc.property(
        servers.filter(({ length }) => length > 1),
        fc.nat(),
        fc.string(),
        (group, leaving, path) => {
          const before = byPath().pick(group, at(path))
          const rest = group.filter((_server, index) => index !== leaving % group.length)
          const after = byPath().pick(rest, at(path))
          if (rest.includes(before)) expect(after.id).toBe(before.id)
        },
      ),
    )
  })

  it('spreads keys by weight', () => {
    const balancer = byPath()
    const group = [server('a', 1), server('b', 3)]
    let heavy = 0
    for (let n = 0; n < 4_000; n++) if (balancer.pick(group, at(`/page/${n}`)).id === 'b') heavy += 1
    expect(heavy / 4_000).toBeGreaterThan(0.7)
    expect(heavy / 4_000).toBeLessThan(0.8)
  })

  it.each([
    [{ header: 'X-Tenant' } as const, ['x-tenant', 'a'], ['X-Tenant', 'a', 'Cookie', 'x=1']],
    [{ cookie: 'session' } as const, ['Cookie', 'x=1; session=a'], ['cookie', 'session=a; y=2']],
  ])('goes by %j, and by the client without it', (key, one, other) => {
    const balancer = createBalancer({ type: 'hash', key })
    const byClient = createBalancer({ type: 'hash', key: 'client' })
    const group = Array.from({ length: 8 }, (_none, n) => server(`s${n}`))
    const clients = Array.from({ length: 20 }, (_none, n) => `192.0.2.${n}`)
    const places = (headers: string[]) =>
      clients.map((clientAddress) => balancer.pick(group, asked(headers, { clientAddress })).id)
    expect(new Set([...places(one), ...places(other)]).size).toBe(1)
    expect(places([])).toEqual(
      clients.map((clientAddress) => byClient.pick(group, asked([], { clientAddress })).id),
    )
    expect(new Set(places([])).size).toBeGreaterThan(2)
  })
})

describe('a sticky cookie', () => {
  const balancer = createBalancer({ type: 'sticky', cookie: 'at' })
  const group = [server('a'), server('b', 1, 9)]

  it('brings its client back, however busy the server is', () => {
    const returning = asked(['Cookie', 'x=1; at=b'])
    expect(balancer.pick(group, returning).id).toBe('b')
    expect(balancer.cookieFor(group[1]!, returning)).toBeNull()
  })

  it.each([
    ['no cookie', []],
    ['a server that is not there', ['Cookie', 'at=gone']],
    ['nonsense', ['Cookie', 'at; =; at=;;']],
  ])('is set for a client with %s', (_name, headers) => {
    const target = asked(headers)
    expect(balancer.pick(group, target).id).toBe('a')
    expect(balancer.cookieFor(group[0]!, target)).toBe('at=a; Path=/; HttpOnly; SameSite=Lax')
  })

  it('is for https alone where the client came over it', () => {
    const target = asked([], { scheme: 'https' })
    expect(balancer.cookieFor(group[0]!, target)).toBe('at=a; Path=/; HttpOnly; SameSite=Lax; Secure')
  })
})
