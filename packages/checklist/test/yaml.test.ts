import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { readYaml, SourceText, type YamlNode } from '../src/index.ts'

function read(text: string) {
  return readYaml(new SourceText('a.yaml', text))
}

function root(text: string): YamlNode {
  const { documents, problems } = read(text)
  expect(problems).toEqual([])
  return documents[0]!
}

function problemsOf(text: string) {
  return read(text).problems.map(({ message, place }) => `${place.line}:${place.column} ${message}`)
}

/** As plain values, scalars as they are written. */
function plain(node: YamlNode): unknown {
  if (node.isMap) return Object.fromEntries([...node.entries()].map(({ key, value }) => [key, plain(value)]))
  return node.isList ? node.items().map(plain) : node.text
}

describe('values', () => {
  test('have the places of keys and values', () => {
    const node = root('a:\n  b: [1, "two"] # three\n  c: |\n    four\n')
    expect(node.at('a')!.entry('b')!.keyPlace).toMatchObject({ line: 2, column: 3, endColumn: 4 })
    expect(node.at('a', 'b')!.items()[1]!.place).toMatchObject({ line: 2, column: 10, endColumn: 15 })
    expect(node.at('a', 'c')!.text).toBe('four\n')
    expect(node.at('a', 'b', 'c')).toBeNull()
    expect(node.at('x')).toBeNull()
  })

  test('say null to what they are not', () => {
    const node = root('a: yes\nb: "8000"\nc: ~\nd:\ne: [x]\nf: 0o17\ng: "null"\n')
    const of = (key: string) => {
      const { boolean, number, text } = node.at(key)!
      return { boolean, number, text }
    }
    expect(of('a')).toEqual({ boolean: true, number: null, text: 'yes' })
    expect(of('b')).toEqual({ boolean: null, number: 8000, text: '8000' })
    expect(of('c')).toEqual({ boolean: null, number: null, text: null })
    expect(of('d')).toEqual({ boolean: null, number: null, text: null })
    expect(of('e')).toEqual({ boolean: null, number: null, text: null })
    expect(of('f').number).toBeNull()
    expect(of('g').text).toBe('null')
    expect(node.at('e')!.itemsOrSelf().map(plain)).toEqual(['x'])
    expect(node.at('a')!.itemsOrSelf().map(plain)).toEqual(['yes'])
    expect(node.at('d')!.itemsOrSelf()).toEqual([])
  })

  test('come through aliases, with the place of the alias; what is in them keeps its own', () => {
    const node = root('a: &x\n  b: 1\nc: *x\n')
    expect(node.at('c')!.place).toMatchObject({ line: 3, column: 4, endColumn: 6 })
    expect(node.at('c', 'b')!.place).toMatchObject({ line: 2, column: 6 })
  })

  test('come by merge keys: own keys win, then the first map', () => {
    const node = root('a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc:\n  <<: [*a, *b]\n  y: 3\nd: {<<: *a}\n')
    expect(plain(node.at('c')!)).toEqual({ y: '3', x: '1', z: '2' })
    expect(node.at('c')!.entry('x')).toMatchObject({ isMerged: true, keyPlace: { line: 1 } })
    expect(plain(node.at('d')!)).toEqual({ x: '1', y: '1' })
    expect(plain(root('"<<": {a: 1}'))).toEqual({ '<<': { a: '1' } })
  })

  test('are of several documents, and of JSON with tabs', () => {
    expect(read('a: 1\n---\n---\n# nothing\n---\nb: 2\n...\n').documents.map(plain)).toEqual([
      { a: '1' },
      { b: '2' },
    ])
    expect(plain(root('{\n\t"a": [\n\t\t{"b": true}\n\t]\n}\n'))).toEqual({ a: [{ b: 'true' }] })
  })

  test('keep their tags', () => {
    expect(root('a: !reset null').at('a')).toMatchObject({ tag: '!reset', isNull: true })
  })
})

describe('problems', () => {
  test.each([
    ['tabs', 'a:\n\tb: 1\n', ['2:1 Tabs are not allowed as indentation.']],
    ['keys twice', 'a: 1\nb: 2\na: 3\n', ['3:1 The key "a" is here twice.']],
    ['an unknown alias', 'a: *b\n', ['1:4 No anchor before it is called &b.']],
    ['an alias within itself', 'a: &a [*a]\n', ['1:8 The alias *a holds itself.']],
    ['a key that is a map', '? {a: 1}\n: 2\n', ['1:3 A key is a map or a list.']],
    ['bytes that are no text', 'a\0b', ['1:2 This is no text: it has a zero byte.']],
    ['brackets without end', '['.repeat(50_000), ['1:805 It is nested too deeply to be read.']],
  ])('%s', (_, text, wanted) => {
    const seen = problemsOf(text)
    // How deep the stack is, is the machine's matter.
    const comparable = (problem: string) => problem.replace(/^1:\d+ (?=It is nested)/, '')
    expect(seen.map(comparable)).toEqual(wanted.map(comparable))
  })

  test('nesting that the parser stands', () => {
    expect(problemsOf('{a: '.repeat(150) + '1' + '}'.repeat(150))).toEqual([
      '1:402 It is nested deeper than 100 levels.',
    ])
  })

  test('a document with a fault does not take the others away', () => {
    const { documents, problems } = read('a: 1\n---\nb: [\n---\nc: 2\n')
    expect(documents.map(plain)).toEqual([{ a: '1' }, { c: '2' }])
    expect(problems).toHaveLength(1)
  })

  test.each([
    ['lists', (from: string) => `[${Array.from({ length: 9 }, () => from).join(', ')}]`],
    ['maps', (from: string) => `{${Array.from({ length: 9 }, (_, at) => `k${at}: ${from}`).join(', ')}}`],
    ['merge keys', (from: string) => `{<<: [${Array.from({ length: 9 }, () => from).join(', ')}], z: 1}`],
  ])('a billion laughs in %s', (_, nest) => {
    let text = 'a0: &a0 {x: 1}\n'
    for (let level = 1; level < 30; level++) text += `a${level}: &a${level} ${nest(`*a${level - 1}`)}\n`
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^6:\d+ Its aliases add more than 100,000 values/),
    ])
  })

  test('a large map that is merged often', () => {
    const keys = Array.from({ length: 1_000 }, (_, at) => `k${at}: 1`).join(', ')
    expect(problemsOf(`a: &a {${keys}}\nb:\n${'  - {<<: *a}\n'.repeat(5_000)}`)).toHaveLength(1)
  })

  test('many faults are cut off', () => {
    expect(problemsOf('a: 1\n'.repeat(100))).toHaveLength(20)
  })
})

test('reads what the yaml package reads', () => {
  const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ maxLength: 8 }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        fc.string({ maxLength: 6 }).filter((key) => key !== '<<' && key !== '__proto__'),
        tie('value'),
        {
          maxKeys: 4,
        },
      ),
    ),
  })).value
  fc.assert(
    fc.property(value, (seed) => {
      const text = JSON.stringify(seed, null, 2)
      const { documents } = read(text)
      const seen = documents[0] === undefined ? null : plain(documents[0])
      expect(seen).toEqual(parseDocument(text).toJS())
    }),
  )
})

test('takes any text', () => {
  const piece = fc.constantFrom(
    'a',
    ': ',
    '- ',
    '\n',
    '  ',
    '&a ',
    '*a',
    '<<',
    '{',
    '}',
    '[',
    ']',
    ',',
    '|',
    '>',
    '"',
    "'",
    '#',
    '---\n',
    '\t',
    '!t ',
    '? ',
    '%',
    '\0',
    '😀',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const { documents, source } = read(pieces.join(''))
      for (const document of documents) {
        plain(document)
        expect(document.end).toBeLessThanOrEqual(source.text.length)
      }
    }),
    { numRuns: 500 },
  )
})
