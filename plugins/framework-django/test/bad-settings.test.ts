import { isErrorCode, type HavnError } from '@havn/model'
import { openSourceTree, readDjangoLayout } from '@havn/plugin-api'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bootSettings } from '../src/boot-settings.ts'
import { createProject, runtimeOf, type TestProject } from './create-project.ts'

const python = await requirePart('Django 5.2', () => ensurePython(['Django>=5.2,<5.3']))
const bare = await requirePart('Python without Django', () => ensurePython([]))
const settings = 'copenhagen/settings.py'

describe.skipIf(python === null)('settings that do not load (needs Django 5.2)', () => {
  let project: TestProject
  beforeEach(async () => {
    project = await createProject(python!)
  })
  afterEach(() => project.remove())

  const failure = () =>
    project.inspect().then(
      () => null,
      (error: HavnError) => error,
    )

  /** Only the project's own lines, and Django's; none of ours. */
  function expectTraceback(error: HavnError | null, ...parts: string[]) {
    expect(error?.detail).toMatch(/^Traceback \(most recent call last\):/)
    for (const part of parts) expect(error?.detail).toContain(part)
    expect(error?.detail).not.toContain('inspect_settings.py')
  }

  it('raise', async () => {
    await project.append(settings, 'def depth():\n    return 1 / 0\ndepth()\n')
    const error = await failure()
    expect(error?.code).toBe('HAVN_ERR_DJANGO_SETTINGS')
    expect(error?.message).toBe('copenhagen.settings does not load: ZeroDivisionError: division by zero')
    expectTraceback(error, 'copenhagen/settings.py', 'in depth', 'ZeroDivisionError: division by zero')
  })

  it('have a syntax error', async () => {
    await project.append(settings, 'DEBUG = = True\n')
    const error = await failure()
    expect(error?.code).toBe('HAVN_ERR_DJANGO_SETTINGS')
    expectTraceback(error, 'DEBUG = = True', 'SyntaxError: invalid syntax')
  })

  it('import what is not installed', async () => {
    await project.append(settings, 'import environ_of_another_kind\n')
    const error = await failure()
    expect(error?.code).toBe('HAVN_ERR_DJANGO_MODULE')
    expect(error?.message).toContain('there is no module environ_of_another_kind')
    expectTraceback(error, 'ModuleNotFoundError')
  })

  it('name an app that is not installed', async () => {
    await project.append(settings, 'INSTALLED_APPS.append("no_such_app")\n')
    expect(await failure()).toMatchObject({ code: 'HAVN_ERR_DJANGO_MODULE' })
  })

  it('read a variable that is not set', async () => {
    await project.append(settings, 'import os\nSECRET_KEY = os.environ["HARBOUR_KEY"]\n')
    const error = await failure()
    expect(error?.code).toBe('HAVN_ERR_DJANGO_VARIABLE')
    expect(error?.message).toBe('copenhagen.settings needs HARBOUR_KEY, and the environment has none.')
    expectTraceback(error, "KeyError: 'HARBOUR_KEY'")
  })

  it('say themselves that a variable is not set', async () => {
    await project.append(
      settings,
      'from django.core.exceptions import ImproperlyConfigured\nraise ImproperlyConfigured("Set the DATABASE_URL environment variable")\n',
    )
    expect(await failure()).toMatchObject({
      code: 'HAVN_ERR_DJANGO_VARIABLE',
      message: expect.stringContaining('DATABASE_URL'),
    })
  })

  it('have an empty SECRET_KEY', async () => {
    await project.append(settings, 'SECRET_KEY = ""\n')
    expect(await failure()).toMatchObject({
      code: 'HAVN_ERR_DJANGO_VARIABLE',
      message: expect.stringContaining('SECRET_KEY'),
    })
  })

  it('leave Python in good order', async () => {
    await project.append(settings, 'import sys\nsys.exit("the licence has expired")\n')
    const error = await failure()
    expect(error?.code).toBe('HAVN_ERR_DJANGO_SETTINGS_EXIT')
    expect(error?.message).toContain('sys.exit(the licence has expired)')
    expectTraceback(error, 'copenhagen/settings.py')
  })

  it('end Python at once', async () => {
    await project.append(
      settings,
      'import os, sys\nprint("leaving", file=sys.stderr, flush=True)\nos._exit(7)\n',
    )
    expect(await failure()).toMatchObject({
      code: 'HAVN_ERR_DJANGO_SETTINGS_EXIT',
      message: expect.stringContaining('exit code 7'),
      detail: 'leaving',
    })
  })

  it('hang', async () => {
    await project.append(settings, 'import time\ntime.sleep(3600)\n')
    const tree = await openSourceTree(project.root)
    const error = await bootSettings({
      directory: project.root,
      project: await readDjangoLayout(tree),
      runtime: runtimeOf(python!),
      options: { env: {} },
      signal: new AbortController().signal,
      timeoutSeconds: 1,
    }).catch((error: HavnError) => error)
    expect(isErrorCode(error, 'HAVN_ERR_DJANGO_SETTINGS_TIMEOUT')).toBe(true)
    expect((error as HavnError).detail).toContain('copenhagen/settings.py')
  })

  it('are fine, and wsgi.py is not', async () => {
    await project.append('copenhagen/wsgi.py', 'raise RuntimeError("no wind")\n')
    const error = await failure()
    expect(error?.code).toBe('HAVN_ERR_DJANGO_ENTRY')
    expect(error?.message).toBe('copenhagen.wsgi:application does not load: RuntimeError: no wind')
    expectTraceback(error, 'copenhagen/wsgi.py')
  })

  it('are named nowhere', async () => {
    await project.write('manage.py', 'from django.core.management import execute_from_command_line\n')
    await project.write('copenhagen/wsgi.py', '')
    await project.write('copenhagen/asgi.py', '')
    expect(await failure()).toMatchObject({ code: 'HAVN_ERR_DJANGO_SETTINGS_UNKNOWN' })
  })

  it.skipIf(bare === null)('have no Django to load them', async () => {
    const tree = await openSourceTree(project.root)
    const error = await bootSettings({
      directory: project.root,
      project: await readDjangoLayout(tree),
      runtime: runtimeOf(bare!),
      options: { env: {} },
      signal: new AbortController().signal,
    }).catch((error: HavnError) => error)
    expect(isErrorCode(error, 'HAVN_ERR_DJANGO_MISSING')).toBe(true)
  })
})
