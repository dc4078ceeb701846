import { definePlugin } from '@havn/plugin-api'
import { z } from 'zod'
import { detectPython } from './detect.ts'
import { inspectPython } from './inspect.ts'

/** Finds Flask, FastAPI, Starlette and other Python web apps, and bare WSGI and ASGI ones. */
export default definePlugin({
  id: 'framework.python',
  kind: 'framework',
  apiVersion: 1,
  config: z.strictObject({}),
  setup: () => ({
    looksFor: [
      'a Flask, FastAPI, Starlette, Quart, Litestar, Falcon or Bottle app in app.py, main.py, wsgi.py or asgi.py, here, in src or in a package',
      'a WSGI function (environ, start_response) or an ASGI function (scope, receive, send) in such a file',
    ],
    detect: detectPython,
    inspect: inspectPython,
  }),
})
