import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { findFault } from '../src/frames/frame-rules.ts'
import * as frames from '../src/frames/index.ts'
import type { Frame, FrameType, Side } from '../src/frames/index.ts'

interface Vector {
  name: string
  from: Side
  hex: string
}

interface GoodVector extends Vector {
  type: keyof typeof frames.frameType
  flags: number
  stream: number
  payload: string
  meaning?: Record<string, unknown>
}

const good = await readVectors<GoodVector>('frames.json')
const malformed = await readVectors<Vector>('malformed.json')

describe('the TypeScript codec', () => {
  it.each(good)('reads and writes $name', (vector) => {
    const start = { type: frames.frameType[vector.type], flags: vector.flags, stream: vector.stream }
    const payload = Buffer.from(vector.payload, 'hex')
    const [frame, ...rest] = read(vector)
    expect(rest).toEqual([])
    expect(frame).toEqual({ ...start, payload })
    expect(frames.encodeFrame(start, payload).toString('hex')).toBe(vector.hex)
    if (vector.meaning !== undefined) expect(decode(frame!)).toEqual(vector.meaning)
  })

  it.each(malformed)('refuses $name', (vector) => {
    expect(() => read(vector)).toThrow(/broke the host protocol/)
  })
})

describe('the codec of the CPython host', () => {
  it('agrees with every vector', async () => {
    const script = fileURLToPath(new URL('vectors/check_vectors.py', import.meta.url))
    const { stdout } = await promisify(execFile)('python3', [script])
    expect(stdout.trim()).toBe('')
  })
})

describe('the page of the protocol', () => {
  it('names each type of frame, its number, and who sends it', async () => {
    const page = await readFile(new URL('../../../docs/reference/host-protocol.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| (\d+) +\| ([A-Z_]+) +\| (both|g→h|h→g) +\|/gm)]
    const seen = rows.map(([, number, name, way]) => [name, Number(number), way])
    expect(seen).toEqual(Object.entries(frames.frameType).map(([name, type]) => [name, type, wayOf(type)]))
  })

  it('has vectors for each type from each side that sends it', () => {
    const seen = new Set(good.map(({ type, from }) => `${type} from the ${from}`))
    for (const [name, type] of Object.entries(frames.frameType))
      for (const side of sidesOf(type)) expect(seen).toContain(`${name} from the ${side}`)
  })
})

describe('the codes of what an app does wrong', () => {
  it('are the same in the host and here', async () => {
    const source = await readFile(new URL('../python/havn_host/app_errors.py', import.meta.url), 'utf8')
    const codes = [...source.matchAll(/'(HAVN_ERR_\w+)'/g)].map((match) => match[1])
    expect(codes.sort()).toEqual([...Object.keys(frames.appErrors), 'HAVN_ERR_APP_THREW'].sort())
  })
})

function sidesOf(type: FrameType): Side[] {
  const header = { length: 0, type, flags: 0, reserved: 0, stream: 1 }
  return (['gateway', 'host'] as const).filter(
    (side) => !findFault(header, side)?.includes('do not come from'),
  )
}

function wayOf(type: FrameType): string {
  const sides = sidesOf(type)
  if (sides.length === 2) return 'both'
  return sides[0] === 'gateway' ? 'g→h' : 'h→g'
}

function read(vector: Vector): Frame[] {
  const seen: Frame[] = []
  const reader = new frames.FrameReader({ from: vector.from, onFrame: (frame) => seen.push(frame) })
  reader.feed(Buffer.from(vector.hex, 'hex'))
  return seen
}

function decode(frame: Frame): unknown {
  const { frameType } = frames
  const decoders: Partial<Record<FrameType, () => unknown>> = {
    [frameType.REQUEST]: () => withHexBody(frames.decodeRequest(frame.payload)),
    [frameType.RESPONSE]: () => withHexBody(frames.decodeResponse(frame.payload)),
    [frameType.CREDIT]: () => ({ bytes: frames.decodeCredit(frame.payload) }),
    [frameType.TRAILERS]: () => ({ headers: frames.decodeTrailers(frame.payload) }),
    [frameType.FILE]: () => {
      const file = frames.decodeFile(frame.payload)
      return { ...file, length: file.length === Infinity ? null : file.length }
    },
    [frameType.WS_ACCEPT]: () => frames.decodeWebSocketAccept(frame.payload),
    [frameType.WS_CLOSE]: () => frames.decodeWebSocketClose(frame.payload),
  }
  return (decoders[frame.type] ?? (() => frames.decodeJson(frame)))()
}

function withHexBody<Message extends { body: Buffer }>(message: Message): unknown {
  return { ...message, body: message.body.toString('hex') }
}

async function readVectors<V>(name: string): Promise<V[]> {
  return JSON.parse(await readFile(new URL(`vectors/${name}`, import.meta.url), 'utf8')) as V[]
}
