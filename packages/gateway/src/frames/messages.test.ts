import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { environKey } from './environ-key.ts'
import { FrameReader } from './frame-reader.ts'
import { frameFlag, frameType } from './frame.ts'
import {
  decodeRequest,
  encodeFileRequest,
  encodeRequest,
  joinHead,
  requestStartString,
  requestString,
  splitHead,
} from './request-frame.ts'
import { decodeFile, decodeResponse, decodeTrailers, encodeResponse } from './response-frame.ts'
import { decodeWebSocketAccept, encodeWebSocketMessage } from './websocket-frame.ts'
import { decodeJson } from './control-frame.ts'
import type { Frame, Side } from './frame.ts'

const latin1 = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) })

describe('request and response frames', () => {
  it('carry any head and body', () => {
    fc.assert(
      fc.property(
        fc.array(latin1, { minLength: 2 }),
        fc.uint8Array(),
        fc.nat(),
        (fields, body, deadlineMs) => {
          const bytes = encodeRequest({ stream: 5, deadlineMs, head: joinHead(fields) }, body, false)
          const [frame] = read('gateway', bytes)
          expect(frame).toMatchObject({ type: frameType.REQUEST, stream: 5, flags: 0 })
          expect(decodeRequest(frame!.payload)).toEqual({ deadlineMs, fields, body: Buffer.from(body) })
        },
      ),
    )
  })

  it('are the same as a string, as a Buffer, and with a file', () => {
    const request = { stream: 9, deadlineMs: 70_000, head: joinHead(['REQUEST_METHOD', 'GÉT']) }
    const empty = Buffer.alloc(0)
    expect(Buffer.from(requestString(request), 'latin1').equals(encodeRequest(request, empty, true))).toBe(
      true,
    )
    expect(
      Buffer.from(requestString(request, false), 'latin1').equals(encodeRequest(request, empty, false)),
    ).toBe(true)
    const start = Buffer.from(requestStartString(request, 3), 'latin1')
    expect(
      Buffer.concat([start, Buffer.from('abc')]).equals(encodeRequest(request, Buffer.from('abc'), true)),
    ).toBe(true)
    const [frame] = read('gateway', encodeFileRequest(request, '/run/é'))
    expect(frame?.flags).toBe(frameFlag.END | frameFlag.FILE)
    expect(decodeRequest(frame!.payload).body.toString()).toBe('/run/é')
  })

  it('bring status, headers and body back', () => {
    const bytes = encodeResponse(
      3,
      { status: '404 Not Found', headers: ['X-A', 'é'], body: Buffer.from('no'), begunS: 2.5 },
      1,
    )
    const [frame] = read('host', bytes)
    expect(decodeResponse(frame!.payload)).toEqual({
      status: 404,
      reason: 'Not Found',
      begunS: 2.5,
      headers: ['X-A', 'é'],
      body: Buffer.from('no'),
    })
  })

  it.each([
    ['a status below 200', encodeResponse(1, { status: '101 Switching', headers: [] })],
    ['a status that is no number', encodeResponse(1, { status: 'OK', headers: [] })],
    ['a header without a value', encodeResponse(1, { status: '200 OK', headers: ['a'] })],
    [
      'a head beyond its end',
      Buffer.from(encodeResponse(1, { status: '200', headers: [] }).fill(255, 12, 16)),
    ],
  ])('refuse %s', (_, bytes) => {
    const [frame] = read('host', bytes)
    expect(() => decodeResponse(frame!.payload)).toThrow(/broke the host protocol/)
  })

  it('refuse a REQUEST whose head goes beyond its end', () => {
    expect(() => decodeRequest(Buffer.from([9, 0, 0, 0, 0, 0, 0, 0]))).toThrow(/beyond its end/)
  })
})

describe('other payloads', () => {
  it('refuse trailers and accept headers without a value', () => {
    expect(decodeTrailers(Buffer.from('a\0b'))).toEqual(['a', 'b'])
    expect(() => decodeTrailers(Buffer.from('a'))).toThrow(/without a value/)
    expect(decodeWebSocketAccept(Buffer.from(''))).toEqual({ subprotocol: '', headers: [] })
    expect(() => decodeWebSocketAccept(Buffer.from('chat\0a'))).toThrow(/without a value/)
  })

  it('refuse a FILE whose path is not absolute', () => {
    const payload = Buffer.concat([Buffer.alloc(8), Buffer.alloc(8, 255), Buffer.from('/srv/a b')])
    expect(decodeFile(payload)).toEqual({ path: '/srv/a b', offset: 0, length: Infinity })
    payload[16] = 46
    expect(() => decodeFile(payload)).toThrow(/FILE has the path/)
  })

  it('refuse JSON that is no object', () => {
    for (const text of ['', '[1]', 'null', '"x"', '{']) {
      const frame = { type: frameType.HELLO, flags: 0, stream: 0, payload: Buffer.from(text) }
      expect(() => decodeJson(frame)).toThrow(/HELLO does not hold a JSON object/)
    }
  })

  it('split a websocket message into frames that join to it', () => {
    for (const size of [0, 1, 65_536, 65_537, 200_000]) {
      const frames = encodeWebSocketMessage(2, Buffer.alloc(size, 'x'), true).flatMap((bytes) =>
        read('host', bytes),
      )
      expect(Buffer.concat(frames.map((frame) => frame.payload)).length).toBe(size)
      const more = frames.map((frame) => frame.flags)
      expect(more.pop()).toBe(frameFlag.TEXT)
      expect(more.every((flags) => flags === (frameFlag.TEXT | frameFlag.MORE))).toBe(true)
    }
  })

  it('name headers as environ does', () => {
    expect(['Host', 'x-forwarded-for', 'Content-Type', 'content-length'].map(environKey)).toEqual([
      'HTTP_HOST',
      'HTTP_X_FORWARDED_FOR',
      'CONTENT_TYPE',
      'CONTENT_LENGTH',
    ])
    expect(splitHead('')).toEqual([])
  })
})

function read(from: Side, bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  const reader = new FrameReader({ from, onFrame: (frame) => frames.push(frame) })
  reader.feed(bytes)
  reader.end()
  return frames
}
