import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { createFileInputStream, createInputStream } from './byte-input.ts'
import { SpooledBody } from './spooled-body.ts'

const directory = mkdtempSync(join(tmpdir(), 'havn-protocol-'))
afterAll(() => rmSync(directory, { recursive: true }))

const steps = fc.array(fc.record({ line: fc.boolean(), size: fc.integer({ min: -1, max: 12 }) }))
const bodies = fc
  .array(fc.constantFrom('\n', 'a', 'bc', '\r\n', 'é'))
  .map((parts) => Buffer.from(parts.join('')))

describe.each(['memory', 'file'])('wsgi.input in %s', (kind) => {
  function withInput(body: Buffer, use: (input: ReturnType<typeof createInputStream>) => void): void {
    if (kind === 'memory') return use(createInputStream(body))
    const path = join(directory, 'body')
    writeFileSync(path, body)
    const fd = openSync(path, 'r')
    try {
      use(createFileInputStream(fd))
    } finally {
      closeSync(fd)
    }
  }

  test('any mix of read and readline gives the body, in order and once', () => {
    fc.assert(
      fc.property(bodies, steps, (body, mix) => {
        withInput(body, (input) => {
          const parts: Uint8Array[] = []
          for (const { line, size } of mix) {
            const part = line ? input.readline(size) : input.read(size)
            if (size >= 0) expect(part.byteLength).toBeLessThanOrEqual(size)
            if (line) expect([...part.slice(0, -1)]).not.toContain(0x0a)
            parts.push(part)
          }
          parts.push(input.read())
          expect(Buffer.concat(parts).equals(body)).toBe(true)
          expect(input.read(1).byteLength).toBe(0)
        })
      }),
    )
  })

  test('readlines and iteration give lines with their ends', () => {
    withInput(Buffer.from('a\nb\n\nc'), (input) =>
      expect(input.readlines().map(String)).toEqual(['a\n', 'b\n', '\n', 'c']),
    )
    withInput(Buffer.from('a\nb\nc'), (input) =>
      expect(input.readlines(3).map(String)).toEqual(['a\n', 'b\n']),
    )
    withInput(Buffer.from('a\nb'), (input) => expect([...input].map(String)).toEqual(['a\n', 'b']))
  })

  test('a line longer than a block is one line', () => {
    const long = Buffer.concat([Buffer.alloc(200_000, 'x'), Buffer.from('\nend')])
    withInput(long, (input) => {
      expect(input.readline().byteLength).toBe(200_001)
      expect(String(input.readline())).toBe('end')
    })
  })
})

test('a spooled body is the same below and above its memory', async () => {
  for (const memoryBytes of [10, 1_000_000]) {
    const body = new SpooledBody(memoryBytes)
    await body.append(Buffer.from('hello '))
    await body.append(Buffer.from('world, longer than ten bytes'))
    expect(body.length).toBe(34)
    expect(String(body.toInputStream().read())).toBe('hello world, longer than ten bytes')
    await body.close()
    await body.close()
  }
})
