import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { FrameReader } from './frame-reader.ts'
import { encodeFrame, encodeFrameHeader, frameString } from './frame-encoding.ts'
import { frameFlag, frameType } from './frame.ts'
import type { Frame, FrameType, Side } from './frame.ts'

const { END, TEXT, MORE } = frameFlag

/** Any frame that a host may send. */
const hostFrame: fc.Arbitrary<Frame> = fc.oneof(
  dataFrame(frameType.BODY, [0, END]),
  dataFrame(frameType.WS_MESSAGE, [0, TEXT, MORE, TEXT | MORE]),
  dataFrame(frameType.TRAILERS, [END]),
  anyFrame(frameType.RESPONSE, { flags: [0, END], minLength: 12 }),
  anyFrame(frameType.FILE, { flags: [0], minLength: 17 }),
  anyFrame(frameType.CREDIT, { flags: [0], minLength: 4, maxLength: 4 }),
  anyFrame(frameType.CANCEL, { flags: [0], maxLength: 0 }),
  anyFrame(frameType.LOG, { flags: [0] }),
  anyFrame(frameType.PING, { flags: [0], maxLength: 64, stream: 0 }),
)

describe('FrameReader', () => {
  it('gives the same frames however the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(hostFrame, { maxLength: 12 }), fc.array(fc.nat()), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(({ payload, ...start }) => encodeFrame(start, payload)))
        const read = readAll('host', splitAt(bytes, cuts))
        expect(read.map(toPlain)).toEqual(frames.map(toPlain))
      }),
    )
  })

  it('hands bodies on in pieces, where it may, that make up the same bodies', () => {
    fc.assert(
      fc.property(fc.array(hostFrame, { maxLength: 12 }), fc.array(fc.nat()), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(({ payload, ...start }) => encodeFrame(start, payload)))
        const whole: Frame[] = []
        let pieces: Buffer[] = []
        const onFrame = (frame: Frame) => {
          pieces.push(frame.payload)
          const next = frames[whole.length]!
          // A piece is the last one when it completes the frame that was sent.
          if (Buffer.concat(pieces).length < next.payload.length) {
            expect([frame.type, frame.flags]).toEqual([frameType.BODY, 0])
            return
          }
          whole.push({ ...frame, payload: Buffer.concat(pieces) })
          pieces = []
        }
        const reader = new FrameReader({ from: 'host', onFrame, splitBodies: true })
        for (const chunk of splitAt(bytes, cuts)) reader.feed(chunk)
        reader.end()
        expect(whole.map(toPlain)).toEqual(frames.map(toPlain))
      }),
    )
  })

  it('says so when the connection ends within a body that it hands on', () => {
    const reader = new FrameReader({ from: 'host', onFrame: () => {}, splitBodies: true })
    reader.feed(encodeFrame({ type: frameType.BODY, stream: 1 }, Buffer.from('hello')).subarray(0, 14))
    expect(() => reader.end()).toThrow('within a frame')
  })

  it('gives the same frames byte by byte', () => {
    const bytes = Buffer.concat([
      encodeFrame({ type: frameType.CANCEL, stream: 7 }),
      encodeFrame({ type: frameType.BODY, flags: END, stream: 0xffff_ffff }, Buffer.from('hello')),
    ])
    const read = readAll(
      'host',
      [...bytes].map((byte) => Buffer.of(byte)),
    )
    expect(read.map((frame) => [frame.type, frame.stream, frame.payload.toString()])).toEqual([
      [frameType.CANCEL, 7, ''],
      [frameType.BODY, 0xffff_ffff, 'hello'],
    ])
  })

  it('does not copy a payload that lies whole in its chunk', () => {
    const chunk = encodeFrame({ type: frameType.BODY, stream: 1 }, Buffer.from('hello'))
    const [frame] = readAll('host', [chunk])
    expect(frame?.payload.buffer).toBe(chunk.buffer)
  })

  it('writes the same bytes as a string and as a Buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 0, max: 0xffff_ffff }), (payload, stream) => {
        const start = { type: frameType.BODY, flags: END, stream }
        const text = frameString(start, Buffer.from(payload).toString('latin1'))
        expect(Buffer.from(text, 'latin1').equals(encodeFrame(start, payload))).toBe(true)
      }),
    )
  })

  it.each<[string, Side, Buffer]>([
    ['type 0 is unknown', 'host', header(0, 0)],
    ['type 19 is unknown', 'host', header(19, 0)],
    ['REQUEST frames do not come from the host', 'host', header(frameType.REQUEST, 8, { stream: 1 })],
    ['RESPONSE frames do not come from the gateway', 'gateway', header(frameType.RESPONSE, 4, { stream: 1 })],
    ['BODY has 65537 bytes', 'host', header(frameType.BODY, 65_537, { stream: 1 })],
    ['RESPONSE has 1048577 bytes', 'host', header(frameType.RESPONSE, 1_048_577, { stream: 1 })],
    ['RESPONSE has 11 bytes', 'host', header(frameType.RESPONSE, 11, { stream: 1 })],
    ['CREDIT has 5 bytes', 'gateway', header(frameType.CREDIT, 5, { stream: 1 })],
    ['BODY has flags 2', 'host', header(frameType.BODY, 0, { stream: 1, flags: 2 })],
    ['BODY has flags 128', 'host', header(frameType.BODY, 0, { stream: 1, flags: 128 })],
    ['TRAILERS lacks the END flag', 'host', header(frameType.TRAILERS, 0, { stream: 1 })],
    ['FILE without END', 'gateway', header(frameType.REQUEST, 9, { stream: 1, flags: frameFlag.FILE })],
    ['BODY is on stream 0', 'host', header(frameType.BODY, 0)],
    ['PING is on stream 3', 'host', header(frameType.PING, 0, { stream: 3 })],
    ['the reserved field of BODY is 256', 'host', header(frameType.BODY, 0, { stream: 1, reserved: 256 })],
  ])('refuses: %s', (reason, from, bytes) => {
    const reader = new FrameReader({ from, onFrame: () => expect.unreachable() })
    const fault = expect.objectContaining({
      code: 'HAVN_ERR_HOST_PROTOCOL',
      message: expect.stringContaining(reason) as string,
    }) as Error
    expect(() => reader.feed(bytes)).toThrow(fault)
    expect(() => reader.feed(encodeFrame({ type: frameType.PING }))).toThrow(fault)
  })

  it('takes any bytes as frames or as one protocol error, never as anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readAll('host', [Buffer.from(bytes)])
        } catch (error) {
          expect(error).toMatchObject({ code: 'HAVN_ERR_HOST_PROTOCOL' })
        }
      }),
    )
  })

  it('refuses an end within a frame, and takes one between frames', () => {
    const bytes = encodeFrame({ type: frameType.BODY, stream: 1 }, Buffer.from('hello'))
    const reader = new FrameReader({ from: 'host', onFrame: () => undefined })
    reader.feed(bytes)
    reader.end()
    for (const cut of [1, 11, 12, 16]) {
      const cutShort = new FrameReader({ from: 'host', onFrame: () => expect.unreachable() })
      cutShort.feed(bytes.subarray(0, cut))
      expect(() => cutShort.end()).toThrow(/ended within a frame/)
    }
  })
})

function readAll(from: Side, chunks: Buffer[]): Frame[] {
  const frames: Frame[] = []
  const reader = new FrameReader({ from, onFrame: (frame) => frames.push(frame) })
  for (const chunk of chunks) reader.feed(chunk)
  reader.end()
  return frames
}

function splitAt(bytes: Buffer, cuts: number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length))
}

function header(
  type: number,
  length: number,
  { flags = 0, stream = 0, reserved = 0 }: { flags?: number; stream?: number; reserved?: number } = {},
): Buffer {
  const bytes = encodeFrameHeader({ type: type as FrameType, flags, stream }, length)
  bytes.writeUInt16LE(reserved, 6)
  return bytes
}

function toPlain({ type, flags, stream, payload }: Frame): unknown {
  return [type, flags, stream, payload.toString('hex')]
}

interface FrameShape {
  flags: number[]
  minLength?: number
  maxLength?: number
  stream?: number
}

function anyFrame(
  type: FrameType,
  { flags, minLength = 0, maxLength = 300, stream }: FrameShape,
): fc.Arbitrary<Frame> {
  return fc.record({
    type: fc.constant(type),
    flags: fc.constantFrom(...flags),
    stream: stream === undefined ? fc.integer({ min: 1, max: 0xffff_ffff }) : fc.constant(stream),
    payload: fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes)),
  })
}

function dataFrame(type: FrameType, flags: number[]): fc.Arbitrary<Frame> {
  return anyFrame(type, { flags })
}
