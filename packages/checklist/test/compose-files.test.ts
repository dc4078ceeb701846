import { describe, expect, test } from 'vitest'
import { composeFiles, type ComposeFile, type ComposeService } from '../src/index.ts'
import { interpolate } from '../src/facts/compose/interpolate.ts'
import { readDuration } from '../src/facts/compose/read-duration.ts'
import { collectFact } from './collect-fact.ts'

async function collect(files: Record<string, string>): Promise<readonly ComposeFile[]> {
  return (await collectFact(composeFiles, files)) ?? []
}

async function service(text: string, more: Record<string, string> = {}): Promise<ComposeService> {
  const files = await collect({ 'compose.yaml': text, ...more })
  const found = files.find(({ source }) => source.file === 'compose.yaml')!
  expect(found.problems).toEqual([])
  return found.services[0]!
}

describe('files', () => {
  const one = 'services:\n  web:\n    image: a:1\n'

  test('are known by their names, or what is in them', async () => {
    const files = await collect({
      'compose.yaml': one,
      'compose.override.yml': one,
      'deploy/docker-compose.prod.yml': one,
      'docker-compose-dev.yaml': one,
      'web/dev.docker-compose.yml': one,
      'production.yml': one,
      'local.yml': 'services:\n  mailer: App\\Mailer\n',
      'config/services.yaml': one,
      'composer.yaml': one,
      'README.md': one,
    })
    expect(files.map(({ source, purpose }) => `${source.file} ${purpose}`)).toEqual([
      'compose.override.yml development',
      'compose.yaml any',
      'deploy/docker-compose.prod.yml production',
      'docker-compose-dev.yaml development',
      'production.yml production',
      'web/dev.docker-compose.yml development',
    ])
  })

  test('are for development where those for production stand alone', async () => {
    const alone = await collect({ 'docker-compose.yml': one, 'docker-compose.prod.yml': one })
    expect(alone.map(({ isDevelopment }) => isDevelopment)).toEqual([false, true])
    const overlay = 'services:\n  web:\n    restart: always\n'
    const laidOver = await collect({ 'docker-compose.yml': one, 'docker-compose.prod.yml': overlay })
    expect(laidOver.map(({ isDevelopment }) => isDevelopment)).toEqual([false, false])
    const [prod, base] = laidOver
    expect(prod!.services[0]!.base).toBe(base!.services[0])
    expect(base!.services[0]!.overlays).toEqual([prod!.services[0]])
    expect(base!.services[0]!.hasAnywhere('restart')).toBe(true)
    expect(base!.services[0]!.setting('restart')).toBeNull()
    expect(prod!.services[0]!.isWhole).toBe(false)
  })

  test.each([
    ['no mapping', '- a\n', 'It is no mapping.'],
    ['nothing', '# nothing\n', 'There is nothing in it.'],
    ['services that are a list', 'services: [a]\n', '"services" is no mapping.'],
    ['a service that is a text', 'services:\n  web: nginx\n', 'The service "web" is no mapping.'],
    [
      'the format of Compose 1',
      'web:\n  image: a\n',
      'Its services are not below "services": Compose reads this no more.',
    ],
    ['tabs', 'services:\n\tweb: {}\n', 'Tabs are not allowed as indentation.'],
    [
      'too much',
      `# ${'x'.repeat(5 * 1024 * 1024)}`,
      'It is larger than 4 MiB, no file, or a link out of the project.',
    ],
  ])('with problems: %s', async (_, text, message) => {
    const [file] = await collect({ 'compose.yaml': text })
    expect(file!.problems.map((problem) => problem.message)).toEqual([message])
  })
})

describe('services', () => {
  test('environment of maps, lists and files, with places', async () => {
    const web = await service(
      [
        'services:',
        '  web:',
        '    image: a:1',
        '    env_file: [app.env, {path: gone.env, required: false}]',
        '    environment:',
        '      - DEBUG=${DEBUG:-1}',
        '      - PASSED',
        '      - KEY=${KEY}',
        '      - NAME=${NAME}',
      ].join('\n'),
      { 'app.env': '# x\nexport DEBUG=0\nTOKEN="a b" # c\nPLAIN=a#b # c\n', '.env': 'NAME=havn\n' },
    )
    const seen = [...web.environment.values()].map(({ name, value, envFile, place }) => [
      name,
      value,
      envFile,
      place.line,
    ])
    expect(seen).toEqual([
      ['DEBUG', '1', null, 6],
      ['TOKEN', 'a b', 'app.env', 3],
      ['PLAIN', 'a#b', 'app.env', 4],
      ['PASSED', null, null, 7],
      ['KEY', null, null, 8],
      ['NAME', 'havn', null, 9],
    ])
    expect(web.envFiles.map(({ file, exists, isRequired }) => [file, exists, isRequired])).toEqual([
      ['app.env', true, true],
      ['gone.env', false, false],
    ])
  })

  test('what they extend, in this file and another, and never without end', async () => {
    const web = await service(
      'services:\n  web:\n    extends: {file: common/base.yml, service: app}\n    environment: {A: 2}\n',
      {
        'common/base.yml': '',
        'common/compose.yml': '',
      },
    )
    expect(web.extended).toBeNull()
    const extending = await service(
      'services:\n  web:\n    extends: {file: base.compose.yml, service: app}\n    environment: {A: 2}\n',
      {
        'base.compose.yml':
          'services:\n  app:\n    extends: root\n    environment: {A: 1, B: 1}\n    restart: always\n  root:\n    extends: app\n    image: x:1\n',
      },
    )
    expect(extending.setting('restart')!.keyPlace.file).toBe('base.compose.yml')
    expect(extending.image!.text).toBe('x:1')
    expect([...extending.environment.values()].map(({ name, value }) => name + value)).toEqual(['A2', 'B1'])
  })

  test('anchors, extension fields and !reset', async () => {
    const web = await service(
      'x-app: &app\n  restart: always\n  ports: ["80:80"]\nservices:\n  web:\n    <<: *app\n    image: a\n    ports: !reset null\n',
    )
    expect(web.setting('restart')!.value.text).toBe('always')
    expect(web.setting('ports')).toBeNull()
  })

  test('ports', async () => {
    const web = await service(
      [
        'services: {web: {image: a, ports: [8000, "80:8000", "127.0.0.1:80:8000", "[::1]:53:53/udp", "9000-9010:9000-9010",',
        ' "${PORT:-8080}:80", "${PORT}:80", "127.0.0.1::80", x, {target: 80, published: "8080", host_ip: 127.0.0.1}]}}',
      ].join('\n'),
    )
    expect(
      web.ports.map(({ hostIp, published, target, protocol }) => [hostIp, published, target, protocol]),
    ).toEqual([
      [null, null, '8000', 'tcp'],
      [null, '80', '8000', 'tcp'],
      ['127.0.0.1', '80', '8000', 'tcp'],
      ['::1', '53', '53', 'udp'],
      [null, '9000-9010', '9000-9010', 'tcp'],
      [null, '8080', '80', 'tcp'],
      [null, '0', '80', 'tcp'],
      ['127.0.0.1', null, '80', 'tcp'],
      ['127.0.0.1', '8080', '80', 'tcp'],
    ])
  })

  test('mounts', async () => {
    const web = await service(
      'services: {web: {image: a, volumes: ["/data", "db:/data", ".:/app:ro,z", "~/x:/x", "${HOME:-/h}/x:/x:rw", "C:\\\\a:/b", {type: bind, source: /etc, target: /e, read_only: true}]}}\n',
    )
    expect(
      web.mounts.map(({ type, source, target, isReadOnly }) => [type, source, target, isReadOnly]),
    ).toEqual([
      ['volume', null, '/data', false],
      ['volume', 'db', '/data', false],
      ['bind', '.', '/app', true],
      ['bind', '~/x', '/x', false],
      ['bind', '/h/x', '/x', false],
      ['bind', 'C:\\a', '/b', false],
      ['bind', '/etc', '/e', true],
    ])
  })

  test('commands, healthchecks, builds and the rest', async () => {
    const web = await service(
      [
        'services:',
        '  web:',
        '    build: {context: ./app, dockerfile: ../docker/Dockerfile, target: run, args: {A: 1}}',
        '    command: gunicorn "my app" -b 0:${PORT:-8000}',
        '    entrypoint: ["/x", "y z"]',
        '    healthcheck: {test: [CMD-SHELL, curl -f localhost]}',
        '    depends_on: {db: {condition: service_healthy}, cache: }',
        '    deploy: {replicas: "2"}',
        '    stop_grace_period: 1m30s',
        '    profiles: [web]',
      ].join('\n'),
    )
    expect(web.build).toMatchObject({ context: 'app', dockerfile: 'docker/Dockerfile', target: 'run' })
    expect(web.command!.words).toEqual(['gunicorn', 'my app', '-b', '0:8000'])
    expect(web.entrypoint!.words).toEqual(['/x', 'y z'])
    expect(web.healthcheck).toMatchObject({
      isDisabled: false,
      isShell: true,
      test: { words: ['curl -f localhost'] },
    })
    expect(web.dependsOn.map(({ name, condition }) => [name, condition])).toEqual([
      ['db', 'service_healthy'],
      ['cache', 'service_started'],
    ])
    expect([web.replicas, web.stopGracePeriodMs, web.profiles]).toEqual([2, 90_000, ['web']])
  })

  test.each([
    ['.', '', 'Dockerfile'],
    ['..', null, null],
    ['https://git.test/x.git', null, null],
    ['${X}', null, null],
  ])('a build of %s', async (context, folder, dockerfile) => {
    const web = await service(`services: {web: {build: "${context}"}}`)
    expect(web.build).toMatchObject({ context: folder === '' ? '.' : folder, dockerfile })
  })
})

test.each([
  ['$A-${A}-$$A', 'a-a-$A', true],
  ['${B:-x${A}}', 'xa', true],
  ['${E:-x} ${E-x}', 'x ', true],
  ['${A:+y}${B+y}', 'y', true],
  ['${B:?no} $B', '${B:?no} $B', false],
  ['${B:-${C}}', '${B:-${C}}', false],
  ['$ ${ 1', '$ ${ 1', true],
])('interpolates %s', (text, wanted, isKnown) => {
  const variables = new Map([
    ['A', 'a'],
    ['E', ''],
  ])
  expect(interpolate(text, variables)).toEqual({ text: wanted, isKnown })
})

test('durations', () => {
  expect(['10s', '1m30s', '1.5h', '10', 's', null].map(readDuration)).toEqual([
    10_000,
    90_000,
    5_400_000,
    null,
    null,
    null,
  ])
})
