import type { HavnError } from '@havn/model'
import { openSourceTree } from '@havn/plugin-api'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { afterEach, describe, expect, it } from 'vitest'
import { importApp } from '../src/import-app.ts'
import { createApp, runtimeOf, type TestApp } from './create-app.ts'

const python = await requirePart('Python', () => ensurePython([]))

let app: TestApp | null = null
afterEach(async () => {
  await app?.remove()
  app = null
})

async function failure(files: Record<string, string>, options = {}): Promise<HavnError> {
  app = await createApp(python!, files)
  return app.inspect(options).then(
    () => Promise.reject(new Error('it was understood')),
    (error: HavnError) => error,
  )
}

const wsgi = 'def application(environ, start_response):\n    return [b""]\n'

describe.skipIf(python === null)('an app that cannot be served (needs Python)', () => {
  it('raises when it is imported: the traceback is the app’s own, whole', async () => {
    const error = await failure({ 'wsgi.py': `${wsgi}def depth():\n    return 1 / 0\ndepth()\n` })
    expect(error).toMatchObject({
      code: 'HAVN_ERR_PYTHON_APP_IMPORT',
      message: 'wsgi:application does not load: ZeroDivisionError: division by zero',
    })
    expect(error.detail).toMatch(/^Traceback \(most recent call last\):\n {2}File ".*\/wsgi\.py", line 5/)
    expect(error.detail).toContain('in depth')
    expect(error.detail).not.toMatch(/inspect_app|importlib/)
  })

  it.each([{}, { entry: 'app:application' }])('has a syntax error (%j)', async (options) => {
    const error = await failure({ 'app.py': `${wsgi}x = = 1\n`, 'z.py': wsgi }, options)
    expect(error.code).toBe('HAVN_ERR_PYTHON_APP_IMPORT')
    expect(error.detail).toContain('x = = 1')
    expect(error.detail).toContain('SyntaxError: invalid syntax')
  })

  it('imports what is not installed', async () => {
    const error = await failure({ 'app.py': `import no_such_thing\n${wsgi}` })
    expect(error.code).toBe('HAVN_ERR_PYTHON_APP_REQUIREMENT')
    expect(error.message).toContain('no_such_thing')
    expect(error.hint).toContain(python)
  })

  it('is in a module that does not exist', async () => {
    const error = await failure({ 'app.py': wsgi }, { entry: 'shop.web:application' })
    expect(error.code).toBe('HAVN_ERR_PYTHON_APP_NO_MODULE')
    expect(error.message).toContain('There is no module shop.web in /')
  })

  it('is misnamed', async () => {
    const error = await failure({ 'app.py': wsgi }, { entry: 'app:aplication' })
    expect(error.code).toBe('HAVN_ERR_PYTHON_APP_ATTRIBUTE')
    expect(error.message).toBe('app has no aplication. Did you mean app:application?')
  })

  it('is not callable', async () => {
    const error = await failure({ 'app.py': `${wsgi}name = "Havn"\n` }, { entry: 'app:name' })
    expect(error).toMatchObject({
      code: 'HAVN_ERR_PYTHON_APP_NOT_CALLABLE',
      message: 'app:name is a builtins.str, which cannot be called.',
    })
  })

  it('takes what neither WSGI nor ASGI gives', async () => {
    const error = await failure({ 'app.py': 'def view(request):\n    pass\n' }, { entry: 'app:view' })
    expect(error).toMatchObject({
      code: 'HAVN_ERR_PYTHON_APP_INTERFACE',
      message: 'app:view takes (request), which is neither WSGI nor ASGI 3.',
    })
  })

  it('is made by a factory that fails', async () => {
    const files = { 'app.py': 'def create_app():\n    raise ValueError("no wind")\n' }
    const error = await failure(files, { entry: 'app:create_app' })
    expect(error).toMatchObject({
      code: 'HAVN_ERR_PYTHON_APP_IMPORT',
      message: expect.stringContaining('no wind'),
    })
  })

  it('starts a server of its own when it is imported', async () => {
    app = await createApp(python!, { 'app.py': `${wsgi}import time\ntime.sleep(3600)\n` })
    const error: HavnError = await importApp({
      tree: await openSourceTree(app.root),
      runtime: runtimeOf(python!),
      options: { env: {} },
      signal: new AbortController().signal,
      timeoutSeconds: 1,
    }).catch((error) => error)
    expect(error.code).toBe('HAVN_ERR_PYTHON_APP_TIMEOUT')
    expect(error.detail).toContain('app.py')
  })

  it('ends Python', async () => {
    expect((await failure({ 'app.py': `${wsgi}raise SystemExit(4)\n` })).message).toContain('sys.exit(4)')
    await app?.remove()
    expect((await failure({ 'app.py': `${wsgi}import os\nos._exit(4)\n` })).message).toContain('exit code 4')
  })

  it('is nowhere', async () => {
    const error = await failure({ 'app.py': 'import flask\nprint("a script")\n' })
    expect(error.code).toBe('HAVN_ERR_PYTHON_APP_NOT_FOUND')
    expect(error.message).toContain('app.py')
  })
})
