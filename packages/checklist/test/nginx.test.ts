import fc from 'fast-check'
import { expect, test } from 'vitest'
import { directivesOf, nginxConfigs, parseNginx, SourceText, type NginxDirective } from '../src/index.ts'
import { collectFact } from './collect-fact.ts'

const parse = (text: string) => parseNginx(new SourceText('nginx.conf', text))
const told = ({ name, args, block }: NginxDirective): unknown =>
  block === null
    ? [name, ...args.map(({ text }) => text)]
    : [name, ...args.map(({ text }) => text), block.map(told)]

test('directives, blocks, quotes, comments and patterns', () => {
  const text = [
    'server { # one',
    '  listen 80;',
    '  location ~ ^/(a|b)[0-9]{2,3}/ { return 301 https://$host$request_uri; }',
    '  add_header X "a; b {c}";',
    "  log_format main '$remote_addr '",
    "    '$request';",
    '}',
  ].join('\n')
  expect(parse(text).map(told)).toEqual([
    [
      'server',
      [
        ['listen', '80'],
        ['location', '~', '^/(a|b)[0-9]{2,3}/', [['return', '301', 'https://$host$request_uri']]],
        ['add_header', 'X', 'a; b {c}'],
        ['log_format', 'main', '$remote_addr ', '$request'],
      ],
    ],
  ])
})

test('places, and what each stands in', () => {
  const [server] = parse('server {\n  location / {\n    proxy_pass http://app;\n  }\n}\n')
  const pass = directivesOf([server!]).find(({ name }) => name === 'proxy_pass')!
  expect(pass.place).toEqual({ file: 'nginx.conf', line: 3, column: 5, endLine: 3, endColumn: 26 })
  expect([pass.parent!.name, pass.parent!.parent!.name, pass.parent!.parent!.parent]).toEqual([
    'location',
    'server',
    null,
  ])
})

test('templates: placeholders are words, statements are left out', () => {
  const text =
    'server {\n{% if x %}\n  server_name {{ name }};\n{% endif %}\n  proxy_pass http://${APP}:80;\n}\n'
  expect(parse(text).map(told)).toEqual([
    [
      'server',
      [
        ['server_name', '{{ name }}'],
        ['proxy_pass', 'http://${APP}:80'],
      ],
    ],
  ])
})

test('files are found by their names and what is in them', async () => {
  const server = 'server {\n listen 80;\n}\n'
  const found = await collectFact(nginxConfigs, {
    'nginx/default.conf.template': server,
    'deploy/sites-available/shop': server,
    'docker/nginx.dev.conf': server,
    'supervisord.conf': '[program:x]\ncommand=y\n',
    'README.md': server,
  })
  expect(found!.map(({ source, isDevelopment }) => [source.file, isDevelopment])).toEqual([
    ['deploy/sites-available/shop', false],
    ['docker/nginx.dev.conf', true],
    ['nginx/default.conf.template', false],
  ])
})

test('any text is read without a throw, and all places lie in it', () => {
  const parts = fc.constantFrom(
    'server',
    '{',
    '}',
    ';',
    ' ',
    '\n',
    '"',
    "'",
    '\\',
    '#',
    '{{',
    '}}',
    '{%',
    '${',
    'a',
  )
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 60 }), (pieces) => {
      const text = pieces.join('')
      for (const { place } of directivesOf(parse(text)))
        expect(place.endLine).toBeLessThanOrEqual(text.split('\n').length)
    }),
    { numRuns: 2_000 },
  )
})

test('nesting without end is no fault of the reader', () => {
  expect(directivesOf(parse('a {'.repeat(100_000))).length).toBeGreaterThan(0)
})
