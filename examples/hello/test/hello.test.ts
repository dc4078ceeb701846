import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import {
  asgiToNode,
  fetchToNode,
  interfaceOf,
  validateAsgi,
  validateWsgi,
  wsgiToNode,
  type AsgiApp,
  type FetchObject,
  type NodeListener,
  type WsgiApp,
} from '@havn/protocol'
import { describe, expect, test } from 'vitest'

function toListener(app: unknown): NodeListener {
  switch (interfaceOf(app)) {
    case 'wsgi':
      return wsgiToNode(validateWsgi(app as WsgiApp))
    case 'asgi':
      return asgiToNode(validateAsgi(app as AsgiApp)).onRequest
    case 'fetch':
      return fetchToNode(app as FetchObject)
    default:
      return app as NodeListener
  }
}

test.each(['wsgi', 'asgi', 'fetch', 'node'])('%s.ts says hello', async (name) => {
  const { default: app } = (await import(`../${name}.ts`)) as { default: unknown }
  expect(interfaceOf(app)).toBe(name)
  const listener = toListener(app)
  const server = createServer((request, response) => void listener(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    expect([response.status, await response.text()]).toEqual([200, 'Hello, World!\n'])
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

const wsgi = `
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator
from hello_wsgi import application
environ = {"QUERY_STRING": ""}
setup_testing_defaults(environ)
body = validator(application)(environ, lambda status, headers: print(status) or (lambda data: None))
print(b"".join(body).decode(), end="")
body.close()
`
const asgi = `
import asyncio
from hello_asgi import application
async def send(event):
    print(event.get("status") or event["body"].decode(), end="\\n" if "status" in event else "")
asyncio.run(application({"type": "http"}, None, send))
`

describe('Python', () => {
  const missing = spawnSync('python3', ['--version']).error !== undefined
  test.skipIf(missing && process.env.CI !== 'true').each([
    ['hello_wsgi.py, under wsgiref.validate', wsgi, '200 OK\nHello, World!\n'],
    ['hello_asgi.py', asgi, '200\nHello, World!\n'],
  ])('%s (needs python3)', (_name, script, output) => {
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' }
    const python = spawnSync('python3', ['-c', script], {
      cwd: resolve(import.meta.dirname, '..'),
      encoding: 'utf8',
      env,
    })
    expect(python.stderr).toBe('')
    expect(python.stdout).toBe(output)
  })
})
