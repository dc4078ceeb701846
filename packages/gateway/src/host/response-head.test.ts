import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bodyFaultStatus } from './collected-body.ts'
import { hostErrors } from './errors.ts'
import { completeHeaders, parseResponseHead, splitResponse, streamHeaders } from './response-head.ts'

describe('parseResponseHead', () => {
  it('never throws anything but the error that names the fault', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
        try {
          const { status, headers } = parseResponseHead(text)
          expect(status).toBeGreaterThanOrEqual(200)
          expect(headers.length % 2).toBe(0)
        } catch (error) {
          expect(error).toMatchObject({ code: 'HAVN_ERR_HOST_RESPONSE' })
        }
      }),
    )
  })

  it('passes all but what belongs to the connection', () => {
    const head = parseResponseHead(
      '200 Fine\0Keep-Alive\0x\0X-A\x001\0content-LENGTH\x003\0CONNECTION\0foo, Close\0Set-Cookie\0a\0Set-Cookie\0b',
    )
    expect(head).toEqual({
      status: 200,
      reason: 'Fine',
      headers: ['X-A', '1', 'Set-Cookie', 'a', 'Set-Cookie', 'b'],
      contentLength: 3,
      trailer: null,
      close: true,
    })
  })

  it.each(['', '20', '2000', '199 x', '0x1 ', '1e2', '2e2', '200OK', '-99', ' 99'])(
    'refuses the status %j',
    (status) => {
      expect(() => parseResponseHead(status)).toThrow(
        expect.objectContaining({ code: 'HAVN_ERR_HOST_RESPONSE' }),
      )
    },
  )
})

it('a RESPONSE whose head is longer than it breaks the protocol', () => {
  const payload = Buffer.from([9, 0, 0, 0, ...Buffer.alloc(8), 50])
  expect(() => splitResponse(payload)).toThrow(expect.objectContaining({ code: 'HAVN_ERR_HOST_PROTOCOL' }))
})

describe('framing', () => {
  it('names a trailer only where trailers can follow', () => {
    const parse = () => parseResponseHead('200\0Trailer\0X-Sum')
    expect(streamHeaders(parse(), true)).toEqual(['Trailer', 'X-Sum'])
    expect(streamHeaders(parse(), false)).toEqual([])
    expect(completeHeaders(parse(), 2, 'GET')).toEqual(['Content-Length', '2'])
  })

  it('gives 204 no Content-Length (RFC 9110 §8.6)', () => {
    expect(completeHeaders(parseResponseHead('204\0Content-Length\x000'), 0, 'GET')).toEqual([])
    expect(streamHeaders(parseResponseHead('204\0Content-Length\x000'), false)).toEqual([])
  })
})

it.each([
  ['ENOSPC', 507],
  ['EDQUOT', 507],
  ['EACCES', 500],
])('a spool file that fails with %s is %d', (code, status) => {
  const cause = Object.assign(new Error(code), { code })
  const error = hostErrors.HAVN_ERR_REQUEST_BODY_SPOOL({ path: '/run/x', reason: code }, { cause })
  expect(bodyFaultStatus(error)).toBe(status)
})
