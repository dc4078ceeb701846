import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AppFacts } from '@havn/model'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createProject, type TestProject } from './create-project.ts'

const python = await requirePart('Django 5.2', () => ensurePython(['Django>=5.2,<5.3']))

const settings = 'copenhagen/settings.py'
const because = (facts: AppFacts, fact: string) =>
  facts.evidence.filter((each) => each.fact === fact).map((each) => each.because)
const job = (facts: AppFacts, id: string) => facts.jobs.find((each) => each.id === id)

describe.skipIf(python === null)('a project fresh from startproject (needs Django 5.2)', () => {
  let project: TestProject
  beforeEach(async () => {
    project = await createProject(python!)
  })
  afterEach(() => project.remove())

  it('is understood untouched, and left untouched', async () => {
    const before = await readdir(project.root, { recursive: true })
    const facts = await project.inspect()
    expect(facts).toMatchObject({
      root: project.root,
      framework: { id: 'framework.django', name: 'Django', version: expect.stringMatching(/^5\.2/) },
      project: { manager: 'none', files: [] },
      entry: { interface: 'wsgi', target: 'copenhagen.wsgi:application' },
      otherEntries: [{ interface: 'asgi', target: 'copenhagen.asgi:application' }],
      threadSafe: true,
      staticFiles: [],
      env: { DJANGO_SETTINGS_MODULE: 'copenhagen.settings' },
      health: { path: '/', host: 'localhost' },
    })
    expect(facts.jobs.map(({ id }) => id)).toEqual(['collectstatic', 'migrate'])
    expect(job(facts, 'collectstatic')?.skip).toBe(
      'STATIC_ROOT is not set, so there is nowhere to collect static files to',
    )
    expect(job(facts, 'migrate')).toMatchObject({
      process: { program: { type: 'python' }, args: ['manage.py', 'migrate', '--noinput'] },
      fingerprint: { creates: ['db.sqlite3'] },
    })
    expect(because(facts, 'entry')[0]).toContain('WSGI answers faster')
    expect(facts.evidence).toContainEqual(
      expect.objectContaining({ fact: 'env.DJANGO_SETTINGS_MODULE', file: 'copenhagen/wsgi.py', line: 14 }),
    )
    expect(await readdir(project.root, { recursive: true })).toEqual(before)
  })

  it('may print whatever it likes while it boots', async () => {
    await project.append(settings, 'print("{}")\nimport os\nos.write(1, b"raw bytes")\n')
    expect((await project.inspect()).health.host).toBe('localhost')
  })

  it('may leave threads running', async () => {
    await project.append(
      settings,
      'import threading, time\nthreading.Thread(target=time.sleep, args=(3600,)).start()\n',
    )
    expect((await project.inspect()).health.host).toBe('localhost')
  })

  it('collects static files when STATIC_ROOT is set, and serves uploads', async () => {
    await project.write('theme/site.css', 'body {}')
    await project.append(
      settings,
      [
        'STATIC_ROOT = BASE_DIR / "collected"',
        'STATICFILES_DIRS = [BASE_DIR / "theme"]',
        'MEDIA_URL = "uploads/"',
        'MEDIA_ROOT = BASE_DIR / "uploads"',
      ].join('\n'),
    )
    const facts = await project.inspect()
    expect(facts.staticFiles).toEqual([
      { url: '/static/', directory: join(project.root, 'collected'), kind: 'static' },
      { url: '/uploads/', directory: join(project.root, 'uploads'), kind: 'media' },
    ])
    expect(job(facts, 'collectstatic')).toMatchObject({
      process: { args: ['manage.py', 'collectstatic', '--noinput'] },
      fingerprint: {
        paths: expect.arrayContaining(['theme', 'copenhagen/settings.py']),
        creates: ['collected'],
      },
    })
  })

  it('has no collectstatic without the staticfiles app', async () => {
    await project.append(
      settings,
      'INSTALLED_APPS.remove("django.contrib.staticfiles")\nSTATIC_ROOT = "/srv/static"\n',
    )
    expect(job(await project.inspect(), 'collectstatic')?.skip).toContain('not in INSTALLED_APPS')
  })

  it('does not serve a folder that holds the project', async () => {
    await project.append(settings, 'MEDIA_URL = "/media/"\nMEDIA_ROOT = BASE_DIR\n')
    const facts = await project.inspect()
    expect(facts.staticFiles).toEqual([])
    expect(because(facts, 'staticFiles').join()).toContain('holds the project itself')
  })

  it('migrates each time where the database is a server', async () => {
    await project.append(settings, 'DATABASES["default"]["ENGINE"] = "django.db.backends.dummy"\n')
    expect(job(await project.inspect(), 'migrate')?.skip).toBe('DATABASES names no database')
    await project.append(
      settings,
      'DATABASES["default"].update(ENGINE="django.db.backends.sqlite3", NAME=":memory:")\n',
    )
    const migrate = job(await project.inspect(), 'migrate')
    expect(migrate?.skip).toBeUndefined()
    expect(migrate?.fingerprint).toBeUndefined()
  })

  it("fingerprints the project's migrations and those of its packages", async () => {
    await project.write('docks/__init__.py', '')
    await project.write('docks/migrations/__init__.py', '')
    await project.write(
      'docks/migrations/0001_initial.py',
      'from django.db import migrations\n\nclass Migration(migrations.Migration):\n    pass\n',
    )
    await project.append(settings, 'INSTALLED_APPS.append("docks")\n')
    const fingerprint = job(await project.inspect(), 'migrate')?.fingerprint
    expect(fingerprint?.paths).toContain('docks/migrations/0001_initial.py')
    expect(fingerprint?.values).toContain('sessions.0001_initial')
  })

  it.each([
    ['["shop.example.com", "*"]', 'shop.example.com'],
    ['[".example.com"]', 'example.com'],
    ['["*"]', 'localhost'],
  ])('is asked for its health by a name in ALLOWED_HOSTS = %s', async (hosts, expected) => {
    await project.append(settings, `DEBUG = False\nALLOWED_HOSTS = ${hosts}\n`)
    expect((await project.inspect()).health.host).toBe(expected)
  })

  it('has its health view found, and a catch-all not taken for one', async () => {
    const view =
      'from django.http import HttpResponse\nfrom django.urls import path, re_path\nview = lambda request: HttpResponse("ok")\n'
    await project.write('copenhagen/urls.py', `${view}urlpatterns = [re_path("^.*$", view)]\n`)
    expect((await project.inspect()).health.path).toBe('/')
    await project.write('copenhagen/urls.py', `${view}urlpatterns = [path("health/", view)]\n`)
    expect((await project.inspect()).health.path).toBe('/health/')
    expect((await project.inspect({ healthPath: '/mine' })).health.path).toBe('/mine')
  })

  it('is served through ASGI when a view of its own is asynchronous', async () => {
    await project.write(
      'copenhagen/urls.py',
      'from django.http import HttpResponse\nfrom django.urls import path\nasync def events(request): return HttpResponse("ok")\nurlpatterns = [path("", events)]\n',
    )
    const facts = await project.inspect()
    expect(facts.entry).toEqual({ interface: 'asgi', target: 'copenhagen.asgi:application' })
    expect(because(facts, 'entry')).toEqual(['copenhagen.urls.events is asynchronous'])
  })

  it("is served through ASGI when its application is not Django's own", async () => {
    await project.append('copenhagen/asgi.py', '\nclass Router:\n    pass\n\napplication = Router()\n')
    expect(because(await project.inspect(), 'entry')[0]).toContain('copenhagen.asgi.Router')
  })

  it('is served through the entry that the deployment names', async () => {
    const facts = await project.inspect({ entry: 'copenhagen.asgi:application' })
    expect(facts.entry).toEqual({ interface: 'asgi', target: 'copenhagen.asgi:application' })
  })

  it("boots with wsgi.py's settings, not with those for development in manage.py", async () => {
    await project.write(
      'copenhagen/production.py',
      'from .settings import *\nALLOWED_HOSTS = ["example.com"]\n',
    )
    await project.write(
      'copenhagen/wsgi.py',
      'import os\nfrom django.core.wsgi import get_wsgi_application\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "copenhagen.production")\napplication = get_wsgi_application()\n',
    )
    const facts = await project.inspect()
    expect(facts.env['DJANGO_SETTINGS_MODULE']).toBe('copenhagen.production')
    expect(facts.health.host).toBe('example.com')
    const env = { DJANGO_SETTINGS_MODULE: 'copenhagen.settings' }
    expect((await project.inspect({ env })).health.host).toBe('localhost')
  })

  it('may choose its settings when wsgi.py runs', async () => {
    await project.write(
      'copenhagen/wsgi.py',
      'import os\nfrom django.core.wsgi import get_wsgi_application\nname = "settings"\nos.environ["DJANGO_SETTINGS_MODULE"] = f"copenhagen.{name}"\napplication = get_wsgi_application()\n',
    )
    await project.write('copenhagen/asgi.py', '')
    await project.write('manage.py', 'from django.core.management import execute_from_command_line\n')
    expect((await project.inspect()).env['DJANGO_SETTINGS_MODULE']).toBe('copenhagen.settings')
  })
})

describe.skipIf(python === null)('a project one folder down (needs Django 5.2)', () => {
  it('is rooted there, with the requirements of the folder above', async () => {
    const project = await createProject(python!, 'backend')
    try {
      await project.write('requirements.txt', 'Django\n')
      const facts = await project.inspect()
      expect(facts.root).toBe(join(project.root, 'backend'))
      expect(facts.project.files).toEqual(['../requirements.txt'])
      expect(facts.entry.target).toBe('copenhagen.wsgi:application')
    } finally {
      await project.remove()
    }
  })
})
