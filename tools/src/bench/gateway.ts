import { resolve } from 'node:path'
import { ensureDebian, ensurePython } from '../parts/index.ts'
import type { Work } from './comparison.ts'
import { nodePeers } from './node-contenders.ts'
import { ownContender, sourceCommand, type ServedApp } from './own-contender.ts'
import { createPollsSite } from './polls-site.ts'
import { alone, asgiPeers, gunicorn, wsgiPeers, type PythonWork } from './python-contenders.ts'

const requirements = ['Django>=5.2,<5.3', 'gunicorn', 'uvicorn', 'uvloop', 'httptools', 'granian', 'uwsgi']
const apps = resolve(import.meta.dirname, 'apps')
const concurrencies = [1, 8, 32, 128]

/** What a browser sends along when it opens a page for the second time. */
const browserHeaders = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language': 'en-GB,en;q=0.5',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Upgrade-Insecure-Requests': '1',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Site': 'same-origin',
  Cookie: 'csrftoken=nVwyJ4o7mPZbq1Sx0D5cRk2TfLhGa9Ue',
}

/** The environment of every Python app and server here. */
export function ensureGatewayPython(): Promise<string> {
  return ensurePython(requirements)
}

/**
 * The app server against those that people run today, on the same apps, 2 workers each.
 *
 * @param command script of the `platform` command that is measured.
 */
export async function gatewayWorks(command: string): Promise<Work[]> {
  const python = await ensureGatewayPython()
  const nginx = await ensureDebian('nginx', 'nginx-light')
  const polls = await createPollsSite(python)
  const app = (target: string, directory = apps): PythonWork => ({ python, nginx, directory, target })
  const own = (work: PythonWork, kind: ServedApp['interface']) =>
    ownContender(command, { ...work, entry: work.target, interface: kind })
  const wsgi = (work: PythonWork) => [own(work, 'wsgi'), ...wsgiPeers(work)]
  const asgi = (work: PythonWork) => [own(work, 'asgi'), ...asgiPeers(work)]
  const django = app('bench_site.wsgi:application')
  const hello: ServedApp = { entry: './hello.mjs', interface: 'node', directory: apps }
  return [
    {
      name: 'django-wsgi',
      title: 'Django hello over WSGI',
      path: '/hello',
      connections: concurrencies,
      contenders: wsgi(django),
    },
    {
      name: 'polls',
      title: 'The list of examples/polls: SQL and a template, over WSGI',
      path: '/polls/',
      headers: browserHeaders,
      connections: concurrencies,
      contenders: wsgi(app('mysite.wsgi:application', polls)),
    },
    {
      name: 'raw-wsgi',
      title: 'A bare WSGI app',
      path: '/',
      connections: concurrencies,
      contenders: wsgi(app('raw_wsgi:application')),
    },
    {
      name: 'upload-64k',
      title: 'A POST of 64 KiB to Django over WSGI',
      path: '/upload',
      method: 'POST',
      uploadBytes: 64 * 1024,
      connections: [8, 32],
      contenders: wsgi(django),
    },
    {
      name: 'stream-1m',
      title: 'A response of 1 MiB streamed by Django over WSGI, in pieces of 64 KiB',
      path: '/stream',
      connections: [8, 32],
      contenders: wsgi(django),
    },
    {
      name: 'neighbours',
      title: 'Django hello over WSGI, alone and beside 4 clients of a view that sleeps 50 ms',
      path: '/hello',
      connections: [32],
      neighbours: { path: '/slow', connections: 4 },
      contenders: wsgi(django),
    },
    {
      name: 'django-asgi',
      title: 'Django hello over ASGI',
      path: '/hello',
      connections: concurrencies,
      contenders: asgi(app('bench_site.asgi:application')),
    },
    {
      name: 'raw-asgi',
      title: 'A bare ASGI app',
      path: '/',
      connections: concurrencies,
      contenders: asgi(app('raw_asgi:application')),
    },
    {
      name: 'js',
      title: 'A JavaScript hello',
      path: '/',
      connections: concurrencies,
      contenders: [ownContender(command, hello), ...(await nodePeers(apps))],
    },
    {
      name: 'start',
      title: 'From the command to the first 200 of Django, and memory after 3 seconds of c=32',
      path: '/hello',
      connections: [],
      contenders: [
        own(django, 'wsgi'),
        ownContender(
          sourceCommand,
          { ...django, entry: django.target, interface: 'wsgi' },
          'havn from source',
        ),
        alone('gunicorn sync', (port) => gunicorn(django, `127.0.0.1:${port}`)),
      ],
    },
  ]
}
