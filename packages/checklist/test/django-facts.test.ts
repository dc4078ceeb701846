import { createServer } from 'node:net'
import { readdir } from 'node:fs/promises'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inspectProject } from '../src/facts/django/inspect-project.ts'
import { placeOfKey, placeOfText, secretOf } from '../src/index.ts'
import { createProject, type TestProject } from './django-project.ts'

const python = await requirePart('Django 5.2', () => ensurePython(['Django>=5.2,<5.3']))
const bare = await requirePart('Python without Django', () => ensurePython([]))
const SETTINGS = 'shop/settings.py'

const manifest = (module: string) => `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: shop:1
          command: [gunicorn, shop.wsgi]
          env: [{ name: DJANGO_SETTINGS_MODULE, value: ${module} }]
`

describe.skipIf(python === null || bare === null)('facts of a Django project (needs Django 5.2)', () => {
  let project: TestProject
  beforeEach(async () => {
    project = await createProject(python!)
  })
  afterEach(() => project.remove())

  const read = (text: string, environment = {}) =>
    project.write(SETTINGS, project.settings + text).then(() => project.read({ environment }))
  const lineOf = (text: string) => project.settings.split('\n').findIndex((line) => line.startsWith(text)) + 1

  test('are those of the booted settings, each with its place, and nothing is written', async () => {
    const seen = await project.read()
    expect(seen).toMatchObject({
      directory: '.',
      chosen: { module: 'shop.settings', because: 'shop/wsgi.py names shop.settings' },
      reading: 'booted',
      settingsFile: SETTINGS,
      failure: null,
      fakes: [],
      missingMigrations: [],
    })
    expect(seen.djangoVersion).toMatch(/^5\.2/)
    const debug = seen.setting('DEBUG')!
    expect(debug).toMatchObject({ value: true, type: 'bool', isDefault: false, confidence: 'certain' })
    expect(debug.place).toMatchObject({ file: SETTINGS, line: lineOf('DEBUG'), column: 1, endColumn: 13 })
    expect(seen.setting('SECURE_HSTS_SECONDS')).toMatchObject({ value: 0, isDefault: true, place: null })
    expect(seen.setting('NO_SUCH_SETTING')).toBeNull()
    const admin = lineOf("    'django.contrib.admin'")
    expect(placeOfText(seen.setting('INSTALLED_APPS')!, 'django.contrib.admin')).toMatchObject({
      line: admin,
      column: 5,
    })
    const engine = lineOf("        'ENGINE'")
    expect(placeOfKey(seen.setting('DATABASES')!, 'default.ENGINE')).toMatchObject({
      line: engine,
      column: 19,
    })
    expect(seen.urls).toMatchObject({
      file: 'shop/urls.py',
      routes: [{ app: 'admin', route: 'admin/', place: { file: 'shop/urls.py' } }],
    })
    expect(seen.messages!.map(({ id }) => id).sort()).toEqual([
      'security.W004',
      'security.W008',
      'security.W009',
      'security.W012',
      'security.W016',
      'security.W018',
      'security.W020',
    ])
    expect(await readdir(project.root)).toEqual(['manage.py', 'shop'])
    expect((await readdir(`${project.root}/shop`)).filter((name) => !name.endsWith('.py'))).toEqual([])
  })

  test('measure secrets, and do not tell them', async () => {
    const seen = await read(
      'API_TOKEN = "s3cr3t-token"\nCACHE = "redis://:hunter2@cache/0"\nDB = {"PASSWORD": "hunter2"}\n',
    )
    expect(secretOf(seen.setting('SECRET_KEY')!.value)).toMatchObject({ isInsecure: true })
    expect(secretOf(seen.setting('API_TOKEN')!.value)).toEqual({
      length: 12,
      uniqueCharacters: 10,
      isInsecure: false,
      isEmpty: false,
    })
    expect(seen.setting('CACHE')!.value).toBe('redis://:***@cache/0')
    expect(
      JSON.stringify(['SECRET_KEY', 'API_TOKEN', 'CACHE', 'DB'].map((name) => seen.setting(name))),
    ).not.toMatch(/s3cr3t|hunter2/)
  })

  test('follow what settings take from others, and what wsgi.py names comes before manage.py', async () => {
    await project.write('shop/conf/__init__.py', '')
    await project.write('shop/conf/base.py', project.settings.replace('DEBUG = True', 'DEBUG = False'))
    await project.write(
      'shop/conf/prod.py',
      'from .base import *\nMIDDLEWARE += ["a.B"]\nUSE_TZ = not DEBUG\n',
    )
    await project.write(
      'shop/wsgi.py',
      'import os\nimport django\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.conf.prod")\n',
    )
    const seen = await project.read()
    expect(seen.chosen?.module).toBe('shop.conf.prod')
    expect(seen.files).toEqual(['shop/conf/prod.py', 'shop/conf/base.py'])
    expect(seen.setting('DEBUG')).toMatchObject({ value: false, place: { file: 'shop/conf/base.py' } })
    const middleware = seen.setting('MIDDLEWARE')!
    expect(middleware.value).toContain('a.B')
    expect(placeOfText(middleware, 'a.B')).toMatchObject({ file: 'shop/conf/prod.py', line: 2, column: 16 })
    await project.write('Dockerfile', 'FROM a:1\nENV DJANGO_SETTINGS_MODULE=shop.settings\n')
    expect((await project.read()).chosen).toEqual({
      module: 'shop.settings',
      because: 'Dockerfile sets it to shop.settings',
    })
    // Their package may be installed in the image, and lie elsewhere.
    await project.write('Dockerfile', 'FROM a:1\nENV DJANGO_SETTINGS_MODULE=shop.installed\n')
    expect((await project.read()).chosen?.module).toBe('shop.installed')
  })

  test('are those that the servers of production get, where these agree', async () => {
    await project.write('shop/prod.py', 'from .settings import *\nDEBUG = False\n')
    const compose = (module: string) =>
      `services:\n  web:\n    build: .\n    command: gunicorn shop.wsgi\n    environment:\n      DJANGO_SETTINGS_MODULE: ${module}\n`
    await project.write('compose.yaml', compose('shop.prod'))
    const seen = await project.read()
    expect(seen.chosen).toEqual({ module: 'shop.prod', because: 'compose.yaml sets it to shop.prod' })
    expect(seen.setting('DEBUG')).toMatchObject({ value: false })
    // It is not this project's.
    await project.write('compose.yaml', compose('depot.prod'))
    expect((await project.read()).chosen?.module).toBe('shop.settings')
    await project.write('compose.yaml', compose('shop.prod'))
    await project.write('k8s/web.yaml', manifest('shop.other'))
    expect((await project.read()).chosen?.module).toBe('shop.settings')
    await project.write('k8s/web.yaml', manifest('shop.prod'))
    expect((await project.read()).chosen?.module).toBe('shop.prod')
  })

  test('are not those of services for development', async () => {
    await project.write('shop/local.py', 'from .settings import *\n')
    const service = `command: gunicorn shop.wsgi\n    environment: [DJANGO_SETTINGS_MODULE=shop.local]\n`
    await project.write('compose.yaml', `services:\n  web:\n    build: .\n    ${service}`)
    expect((await project.read()).chosen?.module).toBe('shop.settings')
  })

  test('have stand-ins for variables that the deployment does not name, and say what is made of them', async () => {
    await project.write(
      'environ_like.py',
      [
        'import os',
        'from django.core.exceptions import ImproperlyConfigured',
        'def env(name):',
        '    try:',
        '        return os.environ[name]',
        '    except KeyError as error:',
        '        raise ImproperlyConfigured(f"Set the {name} environment variable") from error',
        '',
      ].join('\n'),
    )
    const text = [
      'import os',
      'from environ_like import env',
      'SECRET_KEY = env("SHOP_KEY")',
      'SHOP_LIMIT = int(os.environ["SHOP_LIMIT"])',
      'ALLOWED_HOSTS = os.environ.get("SHOP_HOSTS").split(",")',
      'DEBUG = os.environ.get("SHOP_DEBUG", "0") == "1"',
      '',
    ].join('\n')
    const seen = await read(text, { SHOP_DEBUG: '1' })
    expect(seen.failure).toBeNull()
    expect(seen.fakes).toEqual(['SHOP_HOSTS', 'SHOP_KEY', 'SHOP_LIMIT'])
    expect(seen.setting('SECRET_KEY')).toMatchObject({ isFake: true, undecidedBy: ['SHOP_KEY'] })
    expect(seen.setting('ALLOWED_HOSTS')!.isFake).toBe(true)
    expect(seen.setting('DEBUG')).toMatchObject({ value: true, isFake: false, undecidedBy: [] })
  })

  describe('have the variables of what serves them', () => {
    const reading = '\nimport os\nDEBUG = os.environ.get("SHOP_DEBUG", "1") == "1"\n'
    const service = (name: string, ...variables: string[]) =>
      `  ${name}:\n    image: shop\n    command: gunicorn shop.wsgi\n    environment: [${variables.join(', ')}]\n`
    const compose = (...services: string[]) =>
      project.write('compose.yaml', `services:\n${services.join('')}`)
    const debug = async () => (await read(reading)).setting('DEBUG')

    test('where all set the same, and the configuration comes first', async () => {
      await compose(service('web', 'SHOP_DEBUG=0'), service('api', 'SHOP_DEBUG=0'))
      expect(await debug()).toMatchObject({
        value: false,
        isFake: false,
        undecidedBy: [],
        decidedBy: [{ name: 'SHOP_DEBUG', place: { file: 'compose.yaml', line: 5 } }],
      })
      const configured = await read(reading, { SHOP_DEBUG: '1' })
      expect(configured.setting('DEBUG')).toMatchObject({ value: true, undecidedBy: [], decidedBy: [] })
    })

    test('by ConfigMaps, too', async () => {
      const web = manifest('shop.settings').replace(
        'env:',
        'envFrom: [{ configMapRef: { name: shop } }]\n          env:',
      )
      await project.write('k8s/web.yaml', web)
      await project.write(
        'k8s/map.yaml',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: shop }\ndata: { SHOP_DEBUG: "0" }\n',
      )
      expect(await debug()).toMatchObject({ value: false, decidedBy: [{ place: { file: 'k8s/map.yaml' } }] })
      // What `env` says comes before them.
      await project.write('k8s/web.yaml', web.replace('env: [', 'env: [{ name: SHOP_DEBUG, value: "1" }, '))
      expect(await debug()).toMatchObject({ value: true, decidedBy: [{ place: { file: 'k8s/web.yaml' } }] })
    })

    test.each([
      ['only one sets them', ['web', 'SHOP_DEBUG=0'], ['api', 'A=b']],
      ['they do not agree', ['web', 'SHOP_DEBUG=0'], ['api', 'SHOP_DEBUG=1']],
      ['whoever starts it says them', ['web', '"SHOP_DEBUG=${DEBUG}"']],
    ])('and are not judged where %s', async (_name, ...services) => {
      await compose(...services.map(([name, ...variables]) => service(name!, ...variables)))
      expect(await debug()).toMatchObject({ isFake: true, undecidedBy: ['SHOP_DEBUG'], decidedBy: [] })
      const seen = await read('\nimport os\nSTORE = {"on": os.environ.get("SHOP_DEBUG"), "age": 60}\n')
      expect(seen.setting('STORE')).toMatchObject({ isFake: false, undecidedBy: ['SHOP_DEBUG'] })
    })

    test('not those of services of other apps, of services for development, nor what chooses programs', async () => {
      await compose(
        service('web', 'A=b', 'PATH=/nowhere', 'LD_PRELOAD=/nowhere.so', 'PYTHONHOME=/nowhere'),
        service('other', 'SHOP_DEBUG=0').replace('shop.wsgi', 'other.wsgi'),
        service('web-dev', 'SHOP_DEBUG=0'),
      )
      const seen = await read(reading)
      expect(seen.reading).toBe('booted')
      expect(seen.setting('DEBUG')).toMatchObject({ value: true, isFake: false, undecidedBy: ['SHOP_DEBUG'] })
    })

    test('of the project that they serve, where there are several', async () => {
      for (const name of ['__init__.py', 'settings.py', 'wsgi.py', 'urls.py'])
        await project.write(
          `other/shop/${name}`,
          name === 'settings.py' ? `${project.settings}${reading}` : '',
        )
      await project.write(
        'other/manage.py',
        'import os\nimport django\nos.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"\n',
      )
      await compose(service('other', 'SHOP_DEBUG=0').replace('image: shop', 'build: ./other'))
      const seen = await project.readAll()
      expect(seen.map(({ directory, setting }) => [directory, setting('DEBUG')?.value])).toEqual([
        ['.', true],
        ['other', false],
      ])
    })

    test('save where they do not boot with them', async () => {
      await compose(service('web', 'SHOP_DEBUG=0', 'SHOP_STORE=cloud'))
      const seen = await read(`${reading}if os.environ.get("SHOP_STORE"):\n    import no_such_cloud\n`)
      expect(seen.reading).toBe('booted')
      expect(seen.setting('DEBUG')).toMatchObject({ isFake: true, decidedBy: [] })
    })
  })

  test.each([
    ['sys.exit', 'import sys\nsys.exit(3)', 'exited', 'sys.exit(3)'],
    ['os._exit', 'import os\nos._exit(3)', 'exited', 'Python was ended with exit code 3.'],
    ['a signal', 'import os\nos.kill(os.getpid(), 9)', 'exited', 'Python was ended by SIGKILL.'],
    ['an exception', '1 / 0', 'raised', 'ZeroDivisionError: division by zero'],
    ['a circle of imports', 'from shop.settings import LATER', 'raised', 'ImportError: cannot import name'],
    [
      'a connection',
      'import socket\nsocket.create_connection(("127.0.0.1", 9))',
      'network',
      'The network is off',
    ],
  ])('say where settings end with %s, and read their text', async (_name, text, reason, summary) => {
    const seen = await read(`\n${text}\nLATER = 1\n`)
    expect(seen.reading).toBe('static')
    expect(seen.failure).toMatchObject({ stage: 'settings', reason })
    expect(seen.failure!.summary).toContain(summary)
    if (reason !== 'exited' || text.startsWith('import sys'))
      expect(seen.failure!.place).toMatchObject({
        file: SETTINGS,
        line: project.settings.split('\n').length + text.split('\n').length,
      })
    expect(seen.setting('DEBUG')).toMatchObject({
      value: true,
      confidence: 'likely',
      place: { line: lineOf('DEBUG') },
    })
  })

  test('say where settings stand that never end', async () => {
    await project.write(SETTINGS, 'DEBUG = True\nwhile True:\n    pass\n')
    const { root } = project
    const report = await inspectProject({
      root,
      directory: root,
      python: python!,
      environment: {},
      machine: process.env,
      module: 'shop.settings',
      entry: null,
      timeoutSeconds: 1,
      signal: new AbortController().signal,
    })
    expect(report?.boot?.failure).toMatchObject({ reason: 'timeout', frames: expect.anything() })
    expect(report!.boot!.failure!.frames.at(-1)![0]).toBe(`${root}/${SETTINGS}`)
    expect(report!.static!['DEBUG']).toMatchObject({ value: true })
  })

  test('tell of a module that is missing here, and of an app that is', async () => {
    const missing = await read('import no_such_numbers\n')
    expect(missing).toMatchObject({ reading: 'static', failure: { missingModule: 'no_such_numbers' } })
    const app = await read('INSTALLED_APPS += ["no_such_app"]\n')
    expect(app).toMatchObject({ reading: 'booted', failure: { stage: 'apps', missingModule: 'no_such_app' } })
    expect(app.setting('DEBUG')).toMatchObject({ value: true, confidence: 'certain' })
  })

  test('have a stand-in for a variable that only the words of a failure name', async () => {
    const seen = await read(
      'import os\nfor part in ("KEY", "HOST"):\n    name = "SHOP_" + part\n    if not os.environ.get(name):\n        raise RuntimeError(f"Environment variable {name} is not set")\n',
    )
    expect(seen).toMatchObject({ reading: 'booted', fakes: ['SHOP_HOST', 'SHOP_KEY'] })
  })

  test('do not take Django’s defaults for what a class, or whoever is handed the module, may set', async () => {
    const read = async (text: string) => {
      await project.write(SETTINGS, text)
      return project.read({ python: bare! })
    }
    const ofClass = await read(
      'from .base import Base\nclass Production(Base):\n    DEBUG = False\n    @property\n    def CACHES(self):\n        return {}\nProduction.load(__name__)\n',
    )
    expect(ofClass.setting('SECURE_HSTS_SECONDS')).toBeNull()
    for (const line of ['heroku.settings(locals())', 'globals().update(found)', 'load(target=__name__)'])
      expect((await read(`DEBUG = False\n${line}\n`)).setting('SECURE_HSTS_SECONDS'), line).toBeNull()
    const ofHelper = await read('class Color:\n    RED = 1\nDEBUG = False\nprint(__name__.upper())\n')
    expect(ofHelper.setting('SECURE_HSTS_SECONDS')).toMatchObject({ isDefault: true })
  })

  test('place no failure in code without a file, and say where nothing names the settings', async () => {
    const seen = await read('INSTALLED_APPS += ["no_such_app"]\n')
    expect(seen.failure).toMatchObject({ missingModule: 'no_such_app', place: null })
    await project.write('manage.py', 'import django\n')
    await project.write('shop/asgi.py', '')
    await project.write(
      'shop/wsgi.py',
      'import django.core.wsgi as w\napplication = w.get_wsgi_application()\n',
    )
    expect(await project.read()).toMatchObject({
      chosen: { module: null },
      notBootedBecause: 'nothing names them',
    })
  })

  test('bear settings that print, write, fork, and leave threads running', async () => {
    const text = [
      'import os, sys, tempfile, threading, time',
      'print("{}" * 1000)',
      'os.write(1, b"noise")',
      'threading.Thread(target=time.sleep, args=(60,)).start()',
      'os.makedirs(BASE_DIR / "log", exist_ok=True)',
      'LOG = BASE_DIR / "log" / "x.log"',
      'open(LOG, "w").write("hello")',
      'READ_BACK = open(LOG).read()',
      'LOGGING = {"version": 1, "handlers": {"f": {"class": "logging.FileHandler", "filename": "/var/log/shop/x.log"}}}',
      'tempfile.NamedTemporaryFile().close()',
      '(BASE_DIR / "manage.py").unlink()',
      // Last: both processes run what follows, and only one of them can remove a file.
      'os.fork()',
      '',
    ].join('\n')
    await project.write('shop/keep.txt', '')
    const seen = await read(text)
    expect(seen.setting('READ_BACK')?.value).toBe('hello')
    expect((await readdir(project.root)).sort()).toEqual(['manage.py', 'shop'])
  })

  test('are read by their text where settings change files in ways that cannot be led elsewhere', async () => {
    const seen = await read('import shutil\nshutil.rmtree(BASE_DIR / "shop")\n')
    expect(seen).toMatchObject({
      reading: 'static',
      failure: { stage: 'settings', reason: 'writing' },
      notBootedBecause: 'they change files as they load',
    })
    expect((await readdir(project.root)).sort()).toEqual(['manage.py', 'shop'])
  })

  test('have their places where only running the entry tells which settings there are', async () => {
    await project.write('manage.py', 'import django\n')
    await project.write('shop/asgi.py', '')
    await project.write(
      'shop/wsgi.py',
      'import os\nimport django.core.wsgi as w\nstage = "settings"\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", f"shop.{stage}")\napplication = w.get_wsgi_application()\n',
    )
    const seen = await project.read()
    expect(seen).toMatchObject({
      chosen: { module: 'shop.settings', file: 'shop/wsgi.py' },
      settingsFile: SETTINGS,
    })
    expect(seen.setting('DEBUG')?.place).toMatchObject({ file: SETTINGS, line: lineOf('DEBUG') })
  })

  test('reach nobody', async () => {
    let callers = 0
    const server = createServer(() => callers++).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const seen = await read(
      `import socket, subprocess, sys\ntry:\n    socket.create_connection(("127.0.0.1", ${port}))\nexcept OSError as error:\n    WHY = str(error)\n`,
    )
    server.close()
    expect(seen.setting('WHY')?.value).toContain('network is off')
    expect(callers).toBe(0)
  })

  test('count columns as editors do, with a mark at the start and other encodings', async () => {
    await project.write(
      SETTINGS,
      `\u{feff}DEBUG = True  # ⛵\n${project.settings.replace('DEBUG = True', '')}`,
    )
    expect((await project.read()).setting('DEBUG')?.place).toMatchObject({ line: 1, column: 2 })
    const text = `# -*- coding: latin-1 -*-\nNAME = "caf\u00e9"; DEBUG = True\n${project.settings.replace('DEBUG = True', '')}`
    await project.write(SETTINGS, Buffer.from(text, 'latin1'))
    expect((await project.read()).setting('DEBUG')?.place).toMatchObject({ line: 2, column: 16 })
    await project.write(SETTINGS, Buffer.from(`DEBUG = True\nNAME = "caf\u00e9"\n`, 'latin1'))
    expect(await project.read()).toMatchObject({
      reading: 'none',
      failure: { stage: 'settings', reason: 'raised' },
    })
  })

  test('find models without migrations, and views of Django that serve files', async () => {
    await project.write(
      'shop/models.py',
      'from django.db import models\nclass Order(models.Model):\n    total = models.IntegerField()\n',
    )
    await project.write('shop/migrations/__init__.py', '')
    await project.write(
      'shop/urls.py',
      'from django.conf.urls.static import static\nfrom django.urls import path\nfrom django.views.static import serve\nurlpatterns = [path("files/<path:path>", serve)] + static("/media/", document_root="x")\n',
    )
    const seen = await read('INSTALLED_APPS += ["shop"]\n')
    expect(seen.missingMigrations).toMatchObject([
      { app: 'shop', file: 'shop/models.py', changes: ['Create model Order'] },
    ])
    expect(seen.urls?.routes.map(({ route, place }) => [route, place?.line])).toEqual([
      ['files/<path:path>', 4],
      ['^media/(?P<path>.*)$', 4],
    ])
  })

  test('come from the text where there is no Django, and not at all without Python', async () => {
    await project.write(
      SETTINGS,
      project.settings +
        'import os\nX = os.environ.get("X", "y")\nif DEBUG:\n    Y = 1\nelse:\n    Y = 2\nALLOWED_HOSTS += ["a"]\n',
    )
    const seen = await project.read({ python: bare! })
    expect(seen).toMatchObject({
      reading: 'static',
      djangoVersion: null,
      failure: null,
      notBootedBecause: 'this Python does not have Django',
    })
    expect(seen.setting('DEBUG')).toMatchObject({ value: true, confidence: 'likely' })
    expect(seen.setting('X')?.value).toBe('y')
    expect(seen.setting('Y')?.value).toBe(1)
    expect(seen.setting('ALLOWED_HOSTS')?.value).toEqual(['a'])
    expect(seen.setting('BASE_DIR')).toBeNull()
    expect(seen.setting('SECURE_HSTS_SECONDS')).toMatchObject({ value: 0, isDefault: true })
    expect(await project.read({ python: '/no/such/python' })).toMatchObject({ reading: 'none' })
  })
})
