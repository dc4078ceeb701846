import { join } from 'node:path'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { afterEach, describe, expect, it } from 'vitest'
import { createApp, requirements, type TestApp } from './create-app.ts'

const python = await requirePart('Flask, Starlette and FastAPI', () => ensurePython(requirements))

let app: TestApp | null = null
afterEach(async () => {
  await app?.remove()
  app = null
})
const inspect = async (files: Record<string, string>, options = {}) => {
  app = await createApp(python!, files)
  return app.inspect(options)
}

const flask = 'from flask import Flask\napp = Flask(__name__)\n'
const starlette = 'from starlette.applications import Starlette\napp = Starlette()\n'
const wsgi = 'def application(environ, start_response):\n    start_response("200 OK", [])\n    return [b""]\n'
const asgi = 'async def app(scope, receive, send):\n    pass\n'

describe.skipIf(python === null)('apps of every shape (needs Flask, Starlette and FastAPI)', () => {
  it.each<[string, Record<string, string>, string, 'wsgi' | 'asgi', string]>([
    ['Flask', { 'app.py': flask }, 'app:app', 'wsgi', 'Flask'],
    [
      'Flask by its module',
      { 'main.py': 'import flask as f\nsite = f.Flask("x")\n' },
      'main:site',
      'wsgi',
      'Flask',
    ],
    [
      'a Flask factory',
      {
        'shop/__init__.py':
          'from flask import Flask\ndef create_app(config=None):\n    return Flask("shop")\n',
      },
      'shop:create_app()',
      'wsgi',
      'Flask',
    ],
    [
      'a Flask factory that wsgi.py calls',
      {
        'shop/__init__.py': 'from flask import Flask\ndef create_app():\n    return Flask("shop")\n',
        'wsgi.py': 'from shop import create_app\napp = create_app()\n',
      },
      'wsgi:app',
      'wsgi',
      'Flask',
    ],
    [
      'Flask that wsgi.py imports',
      { 'shop/__init__.py': flask, 'wsgi.py': 'from shop import app as application\n' },
      'wsgi:application',
      'wsgi',
      'Flask',
    ],
    [
      'FastAPI in a package',
      { 'app/__init__.py': '', 'app/main.py': 'from fastapi import FastAPI\napp = FastAPI()\n' },
      'app.main:app',
      'asgi',
      'FastAPI',
    ],
    ['Starlette', { 'asgi.py': starlette }, 'asgi:app', 'asgi', 'Starlette'],
    [
      'Starlette inside a middleware',
      {
        'app.py': `${starlette}from starlette.middleware.gzip import GZipMiddleware\nprint("hello")\napp = GZipMiddleware(app)\n`,
      },
      'app:app',
      'asgi',
      'ASGI',
    ],
    ['bare WSGI', { 'hello.py': wsgi }, 'hello:application', 'wsgi', 'WSGI'],
    ['bare ASGI', { 'main.py': asgi }, 'main:app', 'asgi', 'ASGI'],
    [
      'an object with the ASGI call',
      {
        'app.py':
          'class App:\n    async def __call__(self, scope, receive, send):\n        pass\napplication = App()\n',
      },
      'app:application',
      'asgi',
      'ASGI',
    ],
    [
      'a class that is a WSGI app',
      {
        'wsgi.py':
          'class application:\n    def __init__(self, environ, start_response):\n        pass\n' +
          wsgi.replace('application', 'other'),
      },
      'wsgi:other',
      'wsgi',
      'WSGI',
    ],
    [
      'an app under try and if',
      {
        'app.py': `try:\n    import json\nexcept ImportError:\n    pass\nif True:\n    from flask import Flask\n    app = Flask("x")\nif __name__ == "__main__":\n    app.run()\n`,
      },
      'app:app',
      'wsgi',
      'Flask',
    ],
  ])('%s', async (_, files, target, kind, framework) => {
    const facts = await inspect(files)
    expect(facts.entry).toEqual({ interface: kind, target })
    expect(facts.framework.name).toBe(framework)
    expect(facts.health.host).toBe('localhost')
    expect(facts.evidence.map(({ fact }) => fact)).toEqual([
      'framework',
      'entry.target',
      'entry.interface',
      'health.path',
    ])
  })

  it('has a package under src on the path', async () => {
    const facts = await inspect({
      'src/shop/__init__.py': '',
      'src/shop/web.py': '',
      'src/shop/app.py': flask,
    })
    expect(facts.entry.target).toBe('shop.app:app')
    expect(facts.env).toEqual({ PYTHONPATH: join(facts.root, 'src') })
  })

  it('says the version of the framework, and finds the health route', async () => {
    const facts = await inspect({
      'app.py': `${flask}@app.get("/healthz")\ndef healthz():\n    return "ok"\n`,
    })
    expect(facts.framework.version).toMatch(/^3\./)
    expect(facts.health.path).toBe('/healthz')
    const route =
      'from starlette.routing import Route\napp = Starlette(routes=[Route("/ping", lambda request: None)])\n'
    await app?.remove()
    expect((await inspect({ 'app.py': starlette + route })).health.path).toBe('/ping')
  })

  it('is called as the deployment says', async () => {
    const files = { 'app.py': 'def wrap(*args, **kwargs):\n    pass\n', 'other.py': asgi }
    expect((await inspect(files, { entry: 'other:app' })).entry).toEqual({
      interface: 'asgi',
      target: 'other:app',
    })
    const options = { entry: 'app:wrap', interface: 'asgi', healthPath: '/up', threadSafe: false }
    expect(await app!.inspect(options as never)).toMatchObject({
      entry: { interface: 'asgi', target: 'app:wrap' },
      health: { path: '/up' },
      threadSafe: false,
    })
  })

  it('calls a factory that the deployment names without its parentheses', async () => {
    const files = { 'shop.py': 'from flask import Flask\ndef make():\n    return Flask("shop")\n' }
    expect((await inspect(files, { entry: 'shop:make' })).entry.target).toBe('shop:make()')
  })
})
