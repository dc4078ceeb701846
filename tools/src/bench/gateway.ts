import { resolve } from 'node:path'
import { ensureDebian, ensurePython } from '../parts/index.ts'
import type { Work } from './comparison.ts'
import { nodeContenders } from './node-contenders.ts'
import { asgiPeers, havn, wsgiPeers, type PythonWork } from './python-contenders.ts'

const requirements = ['Django>=5.2,<5.3', 'gunicorn', 'uvicorn', 'uvloop', 'httptools', 'granian', 'uwsgi']
const apps = resolve(import.meta.dirname, 'apps')

/** The app server against those that people run today, on the same apps, 2 workers each. */
export async function gatewayWorks(): Promise<Work[]> {
  const python = await ensurePython(requirements)
  const nginx = await ensureDebian('nginx', 'nginx-light')
  const work = (target: string): PythonWork => ({ python, nginx, directory: apps, target })
  const wsgi = (target: string) => [havn(work(target), 'wsgi'), ...wsgiPeers(work(target))]
  const asgi = (target: string) => [havn(work(target), 'asgi'), ...asgiPeers(work(target))]
  const django = 'bench_site.wsgi:application'
  return [
    { name: 'django-wsgi', path: '/hello', connections: [1, 8, 32, 128], contenders: wsgi(django) },
    { name: 'raw-wsgi', path: '/', connections: [8, 32, 128], contenders: wsgi('raw_wsgi:application') },
    {
      name: 'django-asgi',
      path: '/hello',
      connections: [8, 32, 128],
      contenders: asgi('bench_site.asgi:application'),
    },
    { name: 'raw-asgi', path: '/', connections: [8, 32, 128], contenders: asgi('raw_asgi:application') },
    {
      name: 'upload-64k',
      path: '/upload',
      method: 'POST',
      bodyBytes: 64 * 1024,
      connections: [8, 32],
      contenders: wsgi(django),
    },
    { name: 'stream-1m', path: '/stream', connections: [8, 32], contenders: wsgi(django) },
    { name: 'js', path: '/', connections: [8, 32, 128], contenders: nodeContenders },
  ]
}
