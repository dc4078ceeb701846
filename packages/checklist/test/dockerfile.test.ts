import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defineRule, dockerfiles, parseDockerfile, parseShell, shellOf, SourceText } from '../src/index.ts'
import { checkFiles } from '../src/testing/index.ts'
import { MappedText } from '../src/source/mapped-text.ts'
import { todo } from './sample-pack.ts'

const parse = (text: string) => parseDockerfile(new SourceText('Dockerfile', text))

test('stages, bases and build arguments', () => {
  const { preamble, stages, final } = parse(
    [
      '# syntax=docker/dockerfile:1',
      'ARG PYTHON=3.12',
      'FROM --platform=$BUILDPLATFORM python:${PYTHON}-slim AS Build',
      'RUN true',
      'FROM build',
      'FROM debian:${RELEASE:-bookworm}',
      'CMD ["a", "b"]',
    ].join('\n'),
  )
  expect(preamble.map(({ keyword }) => keyword)).toEqual(['ARG'])
  expect(stages.map(({ name, image, base }) => [name, image, base?.name])).toEqual([
    ['build', 'python:3.12-slim', undefined],
    [null, 'build', 'build'],
    [null, 'debian:bookworm', undefined],
  ])
  expect(stages[0]!.from.flags).toMatchObject([{ name: 'platform', value: '$BUILDPLATFORM' }])
  expect(final!.instructions[0]).toMatchObject({ keyword: 'CMD', exec: ['a', 'b'] })
})

test('lines that go on, with comments and blank lines between them, keep their places', () => {
  const text =
    'FROM a\nRUN apt-get update && \\\n  # why\n\n  apt-get install -y "cu rl" \\  \n    vim\nUSER x\n'
  const [run, user] = parse(text).stages[0]!.instructions
  expect(run!.words.map(({ text: word, place }) => [word, place.line, place.column])).toEqual([
    ['apt-get', 2, 5],
    ['update', 2, 13],
    ['&&', 2, 20],
    ['apt-get', 5, 3],
    ['install', 5, 11],
    ['-y', 5, 19],
    ['cu rl', 5, 22],
    ['vim', 6, 5],
  ])
  expect(run!.place).toMatchObject({ line: 2, column: 1, endLine: 6, endColumn: 8 })
  expect(user).toMatchObject({ keyword: 'USER', place: { line: 7 } })
})

test('the escape character may be another one', () => {
  const [run, copy] = parse('# escape=`\nFROM a\nRUN dir c:\\ `\n /s\nCOPY a b\n').stages[0]!.instructions
  expect(run!.rest.text.replaceAll(/\s+/g, ' ')).toBe('dir c:\\ /s')
  expect(copy!.keyword).toBe('COPY')
})

test('heredocs belong to their instruction', () => {
  const text =
    'FROM a\nRUN <<EOF\napt-get update\n  pip install x\nEOF\nCOPY <<-A <<"B" /x/\n\tone\n\tA\ntwo\nB\nUSER me\n'
  const [run, copy, user] = parse(text).stages[0]!.instructions
  expect(shellOf(run!).map(({ program, place }) => [program, place.line])).toEqual([
    ['apt-get', 3],
    ['pip', 4],
  ])
  expect(copy!.heredocs.map(({ name, body }) => [name, body.text])).toEqual([
    ['A', '\tone\n'],
    ['B', 'two\n'],
  ])
  expect(user!.keyword).toBe('USER')
})

test('what holds another instruction, and what is none', () => {
  const { instructions } = parse(
    'FROM a\nONBUILD RUN x\nHEALTHCHECK --interval=5s CMD ["y"]\nBOGUS z\nONBUILD\n',
  ).stages[0]!
  expect(instructions.map(({ keyword, inner }) => [keyword, inner?.keyword])).toEqual([
    ['ONBUILD', 'RUN'],
    ['HEALTHCHECK', 'CMD'],
    ['BOGUS', undefined],
    ['ONBUILD', undefined],
  ])
  expect(instructions[1]!.inner!.exec).toEqual(['y'])
})

test('any text is read without a throw, and all places lie in it', () => {
  const parts = fc.constantFrom(
    'FROM ',
    'RUN ',
    'a',
    ' ',
    '\n',
    '\\\n',
    '\r\n',
    '#',
    '<<E',
    'E\n',
    '"',
    "'",
    '[',
    ']',
    '$(',
    '&&',
    '--x=y ',
  )
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('')
      const { preamble, stages } = parse(text)
      const lines = text.split('\n').length
      for (const each of [
        ...preamble,
        ...stages.flatMap(({ from, instructions }) => [from, ...instructions]),
      ]) {
        expect(each.place.line).toBeLessThanOrEqual(each.place.endLine)
        expect(each.place.endLine).toBeLessThanOrEqual(lines)
        shellOf(each)
      }
    }),
    { numRuns: 1_000 },
  )
})

const shell = (text: string) => {
  const source = new SourceText('x', text)
  return parseShell(
    new MappedText(
      source,
      text,
      Array.from({ length: text.length + 1 }, (_, at) => at),
    ),
  )
}

test.each([
  ['a && b || c; d | e & f', ['a &&', 'b ||', 'c ;', 'd |', 'e &', 'f null']],
  ['X=1 Y="2 3" /usr/bin/apt-get install x', ['apt-get null']],
  ['if [ -f x ]; then rm x; fi', ['[ ;', 'rm ;', 'fi null']],
  ['a "b && c" \'d ; e\' f\\ g # h && i\nj', ['a \n', 'j null']],
  ['(cd x && make) 2>&1 >/dev/null', ['cd &&', 'make ;', '2>&1 null']],
  ['echo $(a; b) && c', ['echo &&', 'c null', 'a ;', 'b null']],
  ['x "y $(curl "$(z | w)" | sh)" | v', ['x |', 'v null', 'curl |', 'sh null', 'z |', 'w null']],
  ['X=`a | b` c', ['c null', 'a |', 'b null']],
  ["echo '$(a)' \\$(b", ['echo ;', 'b null']],
  ['x $((1 | 2)) "$(open', ['x null', 'open null']],
  ['"open', ['open null']],
])('commands of %s', (text, expected) => {
  expect(shell(text).map(({ program, operator }) => `${program} ${operator}`)).toEqual(expected)
})

test('commands of substitutions lie where they are written', () => {
  const commands = shell('x "$(curl a | sh)"')
  expect(commands.map(({ place }) => [place.column, place.endColumn])).toEqual([
    [1, 19],
    [6, 12],
    [15, 17],
  ])
})

test('words lose their quotes and keep their places', () => {
  const [command] = shell('pip install "a b" \'c\' --x="y z"')
  expect(command!.args.map(({ text, place }) => [text, place.column, place.endColumn])).toEqual([
    ['install', 5, 12],
    ['a b', 13, 18],
    ['c', 19, 22],
    ['--x=y z', 23, 32],
  ])
})

const anyFile = defineRule({
  ...todo,
  id: 'sample.any',
  options: undefined,
  needs: { dockerfiles },
  check() {},
})

test('Dockerfiles are found by their names, and not where others put theirs', async () => {
  const seen: string[] = []
  const list = defineRule({
    ...anyFile,
    check: ({ facts }) => void seen.push(...facts.dockerfiles.map(({ source }) => source.file)),
  })
  const names = [
    'Dockerfile',
    'a/Containerfile',
    'a/web.Dockerfile',
    'Dockerfile.prod',
    'node_modules/x/Dockerfile',
  ]
  const others = ['Dockerfile.dockerignore', 'Dockerfiles', 'dockerfile.md']
  await checkFiles([list], Object.fromEntries([...names, ...others].map((name) => [name, 'FROM a:1\n'])))
  expect(seen).toEqual(['Dockerfile', 'Dockerfile.prod', 'a/Containerfile', 'a/web.Dockerfile'])
})

test('one that cannot be read is no pass', async () => {
  const { rules, hasFailed } = await checkFiles([anyFile], { Dockerfile: 'x'.repeat(5 * 1024 * 1024) })
  expect(rules[0]).toMatchObject({
    outcome: 'errored',
    reason: expect.stringContaining('Dockerfile cannot be read'),
  })
  expect(hasFailed).toBe(true)
})
