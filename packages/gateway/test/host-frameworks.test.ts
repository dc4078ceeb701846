import { ensurePython, requirePart } from '@havn/tools/parts'
import { afterEach, describe, expect, it } from 'vitest'
import * as frames from '../src/frames/index.ts'
import { TestHost, asgiHead, wsgiHead } from './host-gateway.ts'
import type { Answer, TestHostOptions, TestRequest } from './host-gateway.ts'

const django = await requirePart('Django 5.2', () => ensurePython(['Django>=5.2,<5.3']))
const others = await requirePart('Flask and Starlette', () => ensurePython(['Flask>=3', 'starlette>=0.40']))

const djangoSite = `
import io, os, sys
from django.conf import settings
settings.configure(
    DEBUG=False, SECRET_KEY='test', ALLOWED_HOSTS=['*'], ROOT_URLCONF=__name__,
    MIDDLEWARE=['django.middleware.common.CommonMiddleware', 'django.middleware.gzip.GZipMiddleware'],
)
import django
django.setup()
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.urls import path

def hello(request):
    return HttpResponse('hello %s' % request.GET.get('name', ''))
def plain(request):
    return HttpResponse('plain', headers={'X-Scheme': request.scheme, 'X-Host': request.get_host()})
def upload(request):
    file = request.FILES['file']
    return HttpResponse('%s %d %s' % (file.name, file.size, request.POST['title']))
def download(request):
    return FileResponse(open(os.environ['HAVN_TEST_DIRECTORY'] + '/big.bin', 'rb'), as_attachment=True)
def stream(request):
    return StreamingHttpResponse(('line %d\\n' % number for number in range(3)))
def crash(request):
    raise KeyError('view')

urlpatterns = [path(view.__name__ + '/', view) for view in (hello, plain, upload, download, stream, crash)]
wsgi = get_wsgi_application()
asgi = get_asgi_application()
`

const otherApps = `
from flask import Flask, Response, request, send_file
from starlette.applications import Starlette
from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
import contextlib, os
flask = Flask(__name__)
FILE = os.environ['HAVN_TEST_DIRECTORY'] + '/big.bin'

@flask.route('/hello/')
def flask_hello():
    return 'hello %s' % request.args.get('name', '')
@flask.route('/stream/')
def flask_stream():
    return Response('line %d\\n' % number for number in range(3))
@flask.route('/file/')
def flask_file():
    return send_file(FILE)
@flask.route('/json/', methods=['POST'])
def flask_json():
    return {'got': request.get_json()}

async def hello(request):
    request.state.visits.append(1)
    return PlainTextResponse('hello %s' % request.query_params.get('name', ''))
async def echo(request):
    return PlainTextResponse(await request.body())
async def stream(request):
    async def lines():
        for number in range(3):
            yield 'line %d\\n' % number
    return StreamingResponse(lines())
async def file(request):
    return FileResponse(FILE)
async def chat(websocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text.upper())
@contextlib.asynccontextmanager
async def lifespan(app):
    yield {'visits': []}
starlette = Starlette(routes=[
    Route('/hello/', hello), Route('/echo/', echo, methods=['POST']), Route('/stream/', stream), Route('/file/', file),
    WebSocketRoute('/chat/', chat),
], lifespan=lifespan)
`

const own: TestHost[] = []
afterEach(async () => {
  await Promise.all(own.splice(0).map((host) => host.close()))
})

const big = 'b'.repeat(300_000)

describe.skipIf(django === null)('Django 5.2', () => {
  describe.each(['wsgi', 'asgi'] as const)('through %s', (kind) => {
    const start = (): Promise<TestHost> =>
      serve({
        interface: kind,
        target: `site_of_tests:${kind}`,
        python: django!,
        files: { 'site_of_tests.py': djangoSite, 'big.bin': big },
      })

    it('answers, with its Content-Length once', async () => {
      const host = await start()
      const answer = await ask(host, kind, { path: '/hello/', query: 'name=you' })
      expect(answer).toMatchObject({
        status: 200,
        text: 'hello you',
        headers: { 'content-length': '9' },
        end: 'END',
      })
      expect(answer.rawHeaders.filter((name) => name.toLowerCase() === 'content-length')).toHaveLength(1)
      expect(await ask(host, kind, { method: 'HEAD', path: '/hello/' })).toMatchObject({
        text: '',
        headers: { 'content-length': '6' },
      })
      expect(await ask(host, kind, { path: '/plain/' })).toMatchObject({
        headers: { 'x-scheme': 'http', 'x-host': 'localhost:8000' },
      })
      expect(await ask(host, kind, { path: '/hello' })).toMatchObject({
        status: 301,
        headers: { location: '/hello/' },
      })
    })

    it('takes an upload, streams, sends a file and survives a view that fails', async () => {
      const host = await start()
      const boundary = 'edge'
      const part = (name: string, value: string): string =>
        `--${boundary}\r\nContent-Disposition: form-data; ${name}\r\n\r\n${value}\r\n`
      const form = `${part('name="title"', 'T')}${part('name="file"; filename="f.txt"', 'u'.repeat(40_000))}--${boundary}--\r\n`
      const headers = {
        'content-type': `multipart/form-data; boundary=${boundary}`,
        'content-length': String(form.length),
      }
      const upload = await ask(host, kind, { method: 'POST', path: '/upload/', headers }, Buffer.from(form))
      expect(upload.text).toBe('f.txt 40000 T')
      expect((await ask(host, kind, { path: '/stream/' })).text).toBe('line 0\nline 1\nline 2\n')
      expect(await ask(host, kind, { path: '/crash/' })).toMatchObject({ status: 500, end: 'END' })
      const download = await ask(host, kind, { path: '/download/' })
      expect(download.headers).toMatchObject({ 'content-length': '300000' })
      if (kind === 'wsgi')
        expect(download).toMatchObject({ end: 'FILE', file: { offset: 0, length: 300_000 } })
      else expect(download.text).toBe(big)
      expect(host.logs).toEqual([])
    })
  })
})

describe.skipIf(others === null)('Flask', () => {
  it('answers, streams, reads JSON and sends a file', async () => {
    const host = await serve({
      interface: 'wsgi',
      target: 'apps_of_tests:flask',
      python: others!,
      files: { 'apps_of_tests.py': otherApps, 'big.bin': big },
    })
    expect((await ask(host, 'wsgi', { path: '/hello/', query: 'name=you' })).text).toBe('hello you')
    expect((await ask(host, 'wsgi', { path: '/stream/' })).text).toBe('line 0\nline 1\nline 2\n')
    expect(await ask(host, 'wsgi', { path: '/file/' })).toMatchObject({
      end: 'FILE',
      file: { length: 300_000 },
    })
    const headers = { 'Content-Type': 'application/json' }
    const json = await ask(host, 'wsgi', { method: 'POST', path: '/json/', headers }, Buffer.from('[1, 2]'))
    expect(json.text.trim()).toBe('{"got":[1,2]}')
    expect(host.logs).toEqual([])
  })
})

describe.skipIf(others === null)('Starlette', () => {
  it('answers, streams, echoes, sends a file, and chats', async () => {
    const host = await serve({
      interface: 'asgi',
      target: 'apps_of_tests:starlette',
      python: others!,
      files: { 'apps_of_tests.py': otherApps, 'big.bin': big },
    })
    expect(await host.ready()).toMatchObject({ lifespan: 'on' })
    expect((await ask(host, 'asgi', { path: '/hello/', query: 'name=you' })).text).toBe('hello you')
    expect((await ask(host, 'asgi', { path: '/stream/' })).text).toBe('line 0\nline 1\nline 2\n')
    expect(await ask(host, 'asgi', { method: 'POST', path: '/echo/' }, Buffer.from('body'))).toMatchObject({
      text: 'body',
    })
    expect(await ask(host, 'asgi', { path: '/file/' })).toMatchObject({ end: 'FILE', file: { offset: 0 } })
    const stream = host.open(asgiHead({ path: '/chat/' }, 'websocket'), undefined, false)
    expect((await stream.next()).type).toBe(frames.frameType.WS_ACCEPT)
    for (const bytes of frames.encodeWebSocketMessage(stream.number, Buffer.from('hi'), true))
      host.write(bytes)
    expect((await stream.next()).payload.toString()).toBe('HI')
    host.write(frames.encodeWebSocketClose(stream.number, { code: 1000, reason: '' }))
    expect((await stream.next()).type).toBe(frames.frameType.WS_CLOSE)
    expect(host.logs).toEqual([])
  })
})

async function serve(options: TestHostOptions): Promise<TestHost> {
  const host = await TestHost.serve(options)
  own.push(host)
  return host
}

async function ask(
  host: TestHost,
  kind: 'wsgi' | 'asgi',
  request: TestRequest,
  body?: Buffer,
): Promise<Answer> {
  return host.open(kind === 'wsgi' ? wsgiHead(request) : asgiHead(request), body).answer()
}
