import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bindsOf, numberOf, optionOf, serverCommands, valueOf, type ServerCommand } from '../src/index.ts'
import { collectFact } from './collect-fact.ts'

const collect = async (files: Record<string, string>) => (await collectFact(serverCommands, files)) ?? []
const image = (...lines: string[]) => ({ Dockerfile: ['FROM python:3.13', ...lines, ''].join('\n') })
const told = ({ server, app, options, wrappers }: ServerCommand) =>
  [...wrappers, server, app?.value ?? '-', ...options.map(({ name, value }) => `${name}=${value}`)].join(' ')

test.each([
  ['gunicorn shop.wsgi -w4 --bind=:8000 -t 60', 'gunicorn shop.wsgi workers=4 bind=:8000 timeout=60'],
  [
    'gunicorn -DR --preload -b :1 -b :2 a:b 2>&1 >log',
    'gunicorn a:b daemon=true enable-stdio-inheritance=true preload=true bind=:1 bind=:2',
  ],
  ['poetry run python -m gunicorn a:b --keep-alive 5', 'poetry gunicorn a:b keepalive=5'],
  [
    'tini -- newrelic-admin run-program uvicorn a:b --host 0.0.0.0',
    'tini newrelic-admin uvicorn a:b host=0.0.0.0',
  ],
  ['python -u manage.py runserver 0:8000 --noreload', 'runserver 0:8000 noreload=true'],
  ['flask --app x run --host=0.0.0.0 --debug', 'flask x app=x host=0.0.0.0 debug=true'],
  [
    'uwsgi --http-socket :8000 --master -p 4 -w a.wsgi',
    'uwsgi a.wsgi http-socket=:8000 master=true workers=4 module=a.wsgi',
  ],
  ['celery -A proj worker -B -c 2', 'celery proj verb=worker app=proj beat=true workers=2'],
  ['daphne -b 0.0.0.0 -p 8000 a.asgi:application', 'daphne a.asgi:application host=0.0.0.0 port=8000'],
  ['granian --interface asgi a:b --workers 2', 'granian a:b interface=asgi workers=2'],
  ['node --insecure-http-parser dist/main.js', 'node dist/main.js insecure-http-parser=true'],
  ['wait-for-it.sh db:5432 -- gunicorn a:b', 'wait-for-it.sh gunicorn a:b'],
  ['exec env X=1 gunicorn a:b', 'gunicorn a:b'],
])('reads %s', async (line, expected) => {
  for (const form of [`CMD ${line}`, `CMD ["sh", "-c", ${JSON.stringify(line)}]`]) {
    const [command] = await collect(image(form))
    expect(told(command!)).toBe(expected)
  }
})

test.each([
  'python manage.py migrate',
  'npm run build',
  'celery -A x inspect',
  'flask db upgrade',
  'echo gunicorn',
  'sh -c',
])('takes %s for no server', async (line) => expect(await collect(image(`CMD ${line}`))).toEqual([]))

test('words keep their places, in both forms', async () => {
  const [command] = await collect(image('CMD ["gunicorn", "a:b", \\', '     "--workers", "4"]'))
  expect(optionOf(command!, 'workers')).toMatchObject({
    spelling: '--workers',
    place: { file: 'Dockerfile', line: 3, column: 6, endLine: 3, endColumn: 22 },
  })
  const [inShell] = await collect(image('CMD ["sh", "-c", "gunicorn a:b -w 4"]'))
  expect(optionOf(inShell!, 'workers')!.place).toMatchObject({ line: 2, column: 32, endColumn: 36 })
})

test('a fallback in a script gives way to what the script was given', async () => {
  const commands = await collect({
    ...image('ENV PORT=8002', 'COPY start /start', 'CMD ["/start"]'),
    start: '#!/bin/sh\nAPP_PORT=${PORT:-8000}\nexec gunicorn a:b --workers ${APP_PORT}\n',
  })
  expect(commands.map(told)).toEqual(['gunicorn a:b workers=8002'])
})

test('follows the scripts that an image copies, and what they are given to run', async () => {
  const commands = await collect({
    ...image(
      'COPY docker/start /usr/bin/begin',
      'COPY . /app',
      'ENTRYPOINT ["/usr/bin/begin"]',
      'CMD ["uvicorn", "a:b"]',
    ),
    'docker/start':
      '#!/bin/sh\nWORKERS=${WORKERS:-3}\n[ -n "$X" ] && exec gunicorn a:b --workers "$WORKERS"\nexec "$@"\n',
  })
  expect(commands.map(told)).toEqual(['gunicorn a:b workers=3', 'uvicorn a:b'])
  expect(commands[0]).toMatchObject({
    place: { file: 'docker/start', line: 3 },
    via: [{ file: 'Dockerfile', line: 4 }],
    origin: { kind: 'dockerfile', file: 'Dockerfile', isContainer: true, isDevelopment: false },
  })
})

test('a path is one below the folder that the image works in, where others have its end, too', async () => {
  const commands = await collect({
    'docker/a.Dockerfile': 'FROM a:1\nWORKDIR /srv\nWORKDIR app\nCOPY parts/a /srv/app\nCMD ./start.sh\n',
    'docker/b.Dockerfile': 'FROM a:1\nWORKDIR /srv\nCOPY parts/b /srv/app\nCMD ["sh", "app/start.sh"]\n',
    'docker/c.Dockerfile': 'FROM a:1\nWORKDIR /srv\nCOPY parts/b /srv/app\nCMD ./start.sh\n',
    'parts/a/start.sh': 'gunicorn a:b\n',
    'parts/b/start.sh': 'uvicorn a:b\n',
  })
  expect(commands.map((command) => [told(command), command.origin.file])).toEqual([
    ['gunicorn a:b', 'docker/a.Dockerfile'],
    ['uvicorn a:b', 'docker/b.Dockerfile'],
  ])
})

test('build arguments are gone when an image runs', async () => {
  const commands = await collect(image('ARG PORT=80', 'ENV X=1', 'CMD gunicorn a:b'))
  expect([...commands[0]!.environment.keys()]).toEqual(['X'])
})

test('a database with something in it is not the image of the project', async () => {
  const pod = (name: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: x }\nspec: { containers: [{ name: x, image: "${name}" }] }\n`
  const commands = await collect({
    ...image('CMD gunicorn a:b'),
    'a.yaml': pod('shop/web:1'),
    'b.yaml': pod('other/elasticsearch-analysis-ik:8.6.1'),
  })
  expect(commands.map(({ origin }) => origin.file)).toEqual(['Dockerfile', 'a.yaml'])
})

test("Flask's variables name its address", async () => {
  const commands = await collect(
    image('ENV FLASK_RUN_PORT=8000 FLASK_RUN_HOST=0.0.0.0', 'CMD ["flask", "run"]'),
  )
  expect(commands.flatMap(bindsOf)).toMatchObject([{ host: '*', port: 8000, isDefault: false }])
})

test('scripts that run each other come to an end', async () => {
  const files = { 'a.sh': './b.sh\ngunicorn x\n', 'b.sh': './a.sh\n' }
  const commands = await collect({ ...image('COPY . .', 'CMD ["./a.sh"]'), ...files })
  expect(commands.length).toBe(1)
})

test('npm leads to the script of the nearest package.json', async () => {
  const commands = await collect({
    'web/Dockerfile': 'FROM node:24\nCMD ["npm", "run", "serve:all"]\n',
    'web/package.json': '{\n  "scripts": { "serve:all": "NODE_ENV=production node dist/server.js" }\n}\n',
    'package.json': '{ "scripts": { "start": "next start -p 80", "dev": "next dev" } }\n',
  })
  expect(commands.map((each) => [told(each), each.place.file, each.place.line, each.origin.kind])).toEqual([
    ['npm node dist/server.js', 'web/package.json', 2, 'dockerfile'],
    ['next - verb=start port=80', 'package.json', 1, 'package'],
  ])
})

test('Procfiles, units and programs of supervisor', async () => {
  const commands = await collect({
    Procfile: 'release: python manage.py migrate\nweb: gunicorn shop.wsgi --log-file -\n',
    'deploy/shop.service':
      '[Service]\nEnvironment="WEB_CONCURRENCY=3" X=1\nExecStart=/srv/venv/bin/gunicorn \\\n  --timeout 0 \\\n  shop.wsgi\n',
    'etc/supervisord.conf':
      '[supervisord]\nnodaemon=true\n[program:web]\ncommand=uvicorn a:b\n  --workers 2\nenvironment=X="1",UVICORN_PORT="9"\n',
    'other.conf': '[program:web]\n',
  })
  expect(
    commands.map((each) => [each.origin.kind, each.origin.resource, told(each), each.place.line]),
  ).toEqual([
    ['procfile', 'web', 'gunicorn shop.wsgi error-log=-', 2],
    ['systemd', 'shop.service', 'gunicorn shop.wsgi workers=3 timeout=0', 3],
    ['supervisor', 'web', 'uvicorn a:b port=9 workers=2', 4],
  ])
  expect(optionOf(commands[1]!, 'timeout')!.place).toMatchObject({ line: 4, column: 3 })
})

test('services of compose: their own commands, and what their image starts', async () => {
  const commands = await collect({
    'docker/Dockerfile':
      'FROM a:1 AS prod\nENV WEB_CONCURRENCY=2\nENTRYPOINT ["tini", "--"]\nCMD ["gunicorn", "a:b"]\nFROM prod AS other\nCMD ["uvicorn", "x:y"]\n',
    'compose.yaml': [
      'services:',
      '  web: { build: { context: docker, target: prod }, image: shop, environment: { WEB_CONCURRENCY: "5" } }',
      '  worker:',
      '    image: shop',
      '    command: ["celery", "-A", "shop", "worker"]',
      '  shell:',
      '    image: shop',
      '    entrypoint: []',
      '    command: sh -c "exec gunicorn c:d -w ${N:-7}"',
      '  db: { image: "postgres:17" }',
    ].join('\n'),
  })
  expect(
    commands.map((each) => [
      each.origin.resource,
      told(each),
      each.place.file,
      each.place.line,
      each.isInherited,
    ]),
  ).toEqual([
    ['stage other', 'tini uvicorn x:y workers=2', 'docker/Dockerfile', 6, false],
    ['services.web', 'tini gunicorn a:b workers=5', 'docker/Dockerfile', 4, true],
    ['services.worker', 'tini celery shop verb=worker app=shop', 'compose.yaml', 5, false],
    ['services.shell', 'gunicorn c:d workers=2 workers=7', 'compose.yaml', 9, false],
  ])
  expect(commands[1]!.origin).toMatchObject({ kind: 'compose', service: { name: 'web' }, isContainer: true })
})

test('containers of Kubernetes, with their variables', async () => {
  const commands = await collect({
    Dockerfile: 'FROM a:1\nCMD ["gunicorn", "a:b"]\n',
    'k8s/web.yaml': [
      'apiVersion: apps/v1',
      'kind: Deployment',
      'metadata: { name: web }',
      'spec:',
      '  template:',
      '    spec:',
      '      containers:',
      '        - { name: app, image: "registry.test/shop:1", env: [{ name: WEB_CONCURRENCY, value: "3" }] }',
      '        - name: api',
      '          image: registry.test/api:1',
      '          env: [{ name: PORT, value: "9000" }]',
      '          command: [uvicorn]',
      '          args: ["x:y", "--port", "$(PORT)"]',
      '        - { name: cache, image: "redis:8" }',
    ].join('\n'),
  })
  expect(
    commands.map((each) => [each.origin.pod?.container.name, told(each), each.place.file, each.place.line]),
  ).toEqual([
    [undefined, 'gunicorn a:b', 'Dockerfile', 2],
    ['app', 'gunicorn a:b workers=3', 'Dockerfile', 2],
    ['api', 'uvicorn x:y port=9000', 'k8s/web.yaml', 12],
  ])
})

test('configuration files of gunicorn: plain values, the environment, and what is computed', async () => {
  const [command] = await collect({
    ...image('ENV PORT=9000', 'CMD ["gunicorn", "-c", "conf/gunicorn.py", "a:b"]'),
    'conf/gunicorn.py': [
      'import os, multiprocessing',
      'bind = f"0.0.0.0:{os.environ.get(\'PORT\', 8000)}"',
      'workers = multiprocessing.cpu_count() * 2 + 1',
      'threads = int(os.getenv("THREADS", "4"))',
      'forwarded_allow_ips = "*"  # why',
      'preload_app = True',
      'access_log_format = (',
      '    "%(h)s "  # the client\'s (remote) address',
      '    \'"%(r)s"\'',
      ')',
      'statsd_host = "a:" \\',
      '  "9125"',
      'wsgi_app = ("a:b", unknown)',
      'def post_fork(server, worker):',
      '    timeout = 5',
    ].join('\n'),
  })
  expect(told(command!)).toBe(
    'gunicorn a:b bind=0.0.0.0:9000 workers=null threads=4 forwarded-allow-ips=* preload=true access-log-format=%(h)s "%(r)s" statsd-host=a:9125 wsgi-app=null config=conf/gunicorn.py',
  )
  expect(command!.hooks).toEqual(['post_fork'])
  expect(optionOf(command!, 'forwarded-allow-ips')).toMatchObject({
    from: 'file',
    place: { line: 5, endColumn: 26 },
  })
  expect(numberOf(command!, 'timeout')).toBe(30)
  expect(valueOf(command!, 'workers')).toBeNull()
})

test('uWSGI by its file, ini and YAML', async () => {
  const commands = await collect({
    'a/Dockerfile': 'FROM a:1\nCMD ["uwsgi", "--ini", "/app/uwsgi.ini"]\n',
    'a/uwsgi.ini':
      '[uwsgi]\nhttp-socket = :$(PORT)\nprocesses = 4 \nmodule = a.wsgi\n; x = y\nneed-app = true\nstrict\n',
    'b/Dockerfile': 'FROM a:1\nCMD uwsgi app.yml\n',
    'b/app.yml': 'uwsgi:\n  master: true\n  harakiri: 20 # s\n',
  })
  expect(commands.map(told)).toEqual([
    'uwsgi a.wsgi http-socket=null workers=4 module=a.wsgi need-app=true strict=true ini=/app/uwsgi.ini',
    'uwsgi - master=true timeout=20',
  ])
})

test.each([
  ['gunicorn a:b', ['127.0.0.1:8000 default']],
  ['gunicorn a:b -b :80 -b unix:/run/x.sock', ['*:80', 'null:null']],
  ['uvicorn a:b --port 9', ['127.0.0.1:9 default']],
  ['uvicorn a:b --host :: --port 9', ['*:9']],
  ['python manage.py runserver 0:8000', ['*:8000']],
  ['python manage.py runserver 8001', ['127.0.0.1:8001 default']],
  ['waitress-serve --listen=*:8041 a:b', ['*:8041']],
  ['gunicorn a:b -b 0.0.0.0:$PORT', ['*:null']],
  ['gunicorn a:b -b [::1]:5', ['::1:5']],
])('%s listens on %j', async (line, expected) => {
  const [command] = await collect(image(`CMD ${line}`))
  expect(
    bindsOf(command!).map(({ host, port, isDefault }) => `${host}:${port}${isDefault ? ' default' : ''}`),
  ).toEqual(expected)
})

test('names tell what is for development', async () => {
  const commands = await collect({
    'Dockerfile.dev': 'FROM a:1\nCMD gunicorn a:b\n',
    'compose/local/Dockerfile': 'FROM a:1\nCMD gunicorn a:b\n',
    'compose/Dockerfile': 'FROM a:1 AS debug\nCMD gunicorn a:b\n',
    'devices/Dockerfile': 'FROM a:1\nCMD gunicorn a:b\n',
  })
  expect(commands.map(({ origin }) => [origin.file, origin.isDevelopment])).toEqual([
    ['Dockerfile.dev', true],
    ['compose/Dockerfile', true],
    ['compose/local/Dockerfile', true],
    ['devices/Dockerfile', false],
  ])
})

test('any text is read without a throw', async () => {
  const parts = fc.constantFrom(
    'gunicorn ',
    'a.sh ',
    '-c ',
    '"',
    "'",
    '=',
    '\\\n',
    '\n',
    '[uwsgi]\n',
    'x = (',
    '{',
    '$@',
    'npm start ',
    '--bind ',
    '-',
    '\0',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(parts, { maxLength: 30 }), async (pieces) => {
      const text = pieces.join('')
      await collect({
        Dockerfile: `FROM a\nCOPY . .\nCMD ${text}\n`,
        'a.sh': text,
        'gunicorn.conf.py': text,
        Procfile: `web: ${text}`,
        'package.json': text,
        'x.service': `[Service]\nExecStart=${text}`,
      })
    }),
    { numRuns: 150 },
  )
})

test('of a script, what it does by itself is not known', async () => {
  const [command] = await collect({
    ...image('COPY app.py ./', 'CMD ["python", "app.py"]'),
    'app.py': 'run()\n',
  })
  expect(command).toMatchObject({ server: 'python' })
  expect(valueOf(command!, 'workers')).toBeNull()
  expect(bindsOf(command!)).toEqual([])
})
