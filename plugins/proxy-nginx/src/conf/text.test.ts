import fc from 'fast-check'
import { expect, test } from 'vitest'
import { directive, render } from './directive.ts'
import { DOLLAR, escapeRegex, isWritable, literal, plainText, text, weave } from './text.ts'

/**
 * What nginx reads of a configuration: words, `;`, `{` and `}`, by the rules of its own parser (ngx_conf_read_token).
 */
function readTokens(source: string): string[] {
  const tokens: string[] = []
  let at = 0
  while (at < source.length) {
    const char = source[at]!
    if (/\s/.test(char)) at++
    else if (';{}'.includes(char)) tokens.push((at++, char))
    else if (char === '"') {
      let word = ''
      for (at++; source[at] !== '"'; at++) {
        if (at >= source.length) throw new Error('a quote that nothing closes')
        if (source[at] !== '\\') word += source[at]
        else word += unescaped(source[++at]!)
      }
      at++
      if (at < source.length && !/[\s;{)]/.test(source[at]!)) throw new Error('a quote is followed by a word')
      tokens.push(`word ${word}`)
    } else {
      const [word] = /^[^\s;{]+/.exec(source.slice(at))!
      tokens.push(`word ${word}`)
      at += word.length
    }
  }
  return tokens
}

function unescaped(char: string): string {
  const known: Record<string, string> = { '"': '"', "'": "'", '\\': '\\', n: '\n', r: '\r', t: '\t' }
  return known[char] ?? '\\' + char
}

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => !value.includes('\0')),
  fc.string({
    unit: fc.constantFrom('"', "'", '\\', ';', '{', '}', '$', '#', '\n', '\r', '\t', ' ', 'a', '('),
    maxLength: 20,
  }),
)

test('whatever a text is, nginx reads it as one word, and that word', () => {
  fc.assert(
    fc.property(anything, (value) => {
      const source = render([directive('name', literal(value), 'end')])
      expect(readTokens(source)).toEqual(['word name', `word ${value}`, 'word end', ';'])
    }),
    { numRuns: 2_000 },
  )
})

test('a text never brings a variable of its own', () => {
  fc.assert(
    fc.property(anything, anything, (one, other) => {
      const [, word = ''] = readTokens(render([directive('name', text`${one}$remote_addr${other}`)]))
      const known = word.slice('word '.length).replaceAll('${' + DOLLAR + '}', () => '\0')
      expect(known.split('${remote_addr}').length).toBe(2)
      expect(known.replace('${remote_addr}', '')).not.toContain('$')
      const read = known.replace('${remote_addr}', () => '|').replaceAll('\0', () => '$')
      expect(read).toBe(`${one}|${other}`)
    }),
    { numRuns: 2_000 },
  )
})

test('a regular expression of a text matches the text alone', () => {
  fc.assert(
    fc.property(anything, anything, (one, other) => {
      const pattern = new RegExp(`^${escapeRegex(one)}$`)
      expect(pattern.test(one)).toBe(true)
      expect(pattern.test(other)).toBe(one === other)
    }),
    { numRuns: 2_000 },
  )
})

test('variables end where they end', () => {
  expect(text`$havn_path${'abc'}`.source).toBe('"${havn_path}abc"')
  expect(weave(['', '$rest'], ['/a$']).source).toBe('"/a${havn_dollar}${rest}"')
})

test('what nginx cannot read is refused', () => {
  for (const value of ['a\0b', 'a'.repeat(4_001)]) {
    expect(() => plainText(value)).toThrow(expect.objectContaining({ code: 'HAVN_ERR_NGINX_TEXT' }))
    expect(isWritable(value)).toBe(false)
  }
  expect(isWritable('$'.repeat(1_000))).toBe(false)
  expect(isWritable('a'.repeat(4_000))).toBe(true)
})
