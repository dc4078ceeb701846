import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Contender, ContenderProcess } from './contender.ts'

/** A Python app and the environment that it and its servers are installed in. */
export interface PythonWork {
  /** Absolute path of the interpreter. */
  python: string
  directory: string
  /** `module:attribute`. */
  target: string
  nginx: string
}

const platformBin = resolve(import.meta.dirname, '../../../packages/platform/bin/platform.mjs')
const workers = '2'

/** Ours. */
export function havn(work: PythonWork, kind: 'wsgi' | 'asgi', more: string[] = []): Contender {
  return {
    name: 'havn',
    processes: (port) => [
      {
        program: process.execPath,
        args: [
          ...[platformBin, 'serve', work.target, '--interface', kind, '--directory', work.directory],
          ...['--python', work.python, '--bind', `127.0.0.1:${port}`, '--workers', workers],
          ...['--no-access-log', ...more],
        ],
        cwd: work.directory,
      },
    ],
  }
}

/** The WSGI servers that people run today, 2 workers each, access logs off. */
export function wsgiPeers(work: PythonWork): Contender[] {
  const gunicorn = (bind: string, ...more: string[]) =>
    script(work, 'gunicorn', [work.target, '--bind', bind, '--workers', workers, ...more])
  const uwsgi = (...socket: string[]) =>
    script(work, 'uwsgi', [
      ...['--master', '--need-app', '--die-on-term', '--lazy-apps', '--enable-threads', '--disable-logging'],
      ...['--processes', workers, '--listen', '100', '--module', work.target, ...socket],
    ])
  return [
    alone('gunicorn sync', (port) => gunicorn(`127.0.0.1:${port}`)),
    alone('gunicorn gthread', (port) => gunicorn(`127.0.0.1:${port}`, '--threads', '4')),
    alone('uwsgi --http', (port) => uwsgi('--http', `127.0.0.1:${port}`, '--http-keepalive')),
    alone('granian', (port) =>
      script(work, 'granian', [
        ...['--interface', 'wsgi', '--host', '127.0.0.1', '--port', String(port), '--workers', workers],
        ...['--no-access-log', work.target],
      ]),
    ),
    behindNginx(work, 'nginx + gunicorn', 'http', (socket) => gunicorn(`unix:${socket}`)),
    behindNginx(work, 'nginx + uwsgi', 'uwsgi', (socket) => uwsgi('--socket', socket)),
  ]
}

/** The ASGI servers that people run today. */
export function asgiPeers(work: PythonWork): Contender[] {
  const uvicorn = (...bind: string[]) =>
    script(work, 'uvicorn', [
      ...[work.target, ...bind, '--workers', workers, '--no-access-log', '--log-level', 'warning'],
      ...['--loop', 'uvloop', '--http', 'httptools'],
    ])
  return [
    alone('uvicorn', (port) => uvicorn('--host', '127.0.0.1', '--port', String(port))),
    alone('granian', (port) =>
      script(work, 'granian', [
        ...['--interface', 'asgi', '--host', '127.0.0.1', '--port', String(port), '--workers', workers],
        ...['--no-access-log', work.target],
      ]),
    ),
    behindNginx(work, 'nginx + uvicorn', 'http', (socket) => uvicorn('--uds', socket)),
  ]
}

function alone(name: string, process: (port: number) => ContenderProcess): Contender {
  return { name, processes: (port) => [process(port)] }
}

function script(work: PythonWork, name: string, args: string[]): ContenderProcess {
  return { program: join(dirname(work.python), name), args, cwd: work.directory }
}

/** nginx with two workers and kept-alive connections to a server on a Unix socket. */
function behindNginx(
  work: PythonWork,
  name: string,
  protocol: 'http' | 'uwsgi',
  server: (socket: string) => ContenderProcess,
): Contender {
  return {
    name,
    processes(port) {
      const folder = mkdtempSync(join(tmpdir(), 'havn-bench-nginx-'))
      const socket = join(folder, 'app.sock')
      const config = join(folder, 'nginx.conf')
      writeFileSync(config, nginxConfig({ port, socket, protocol, folder }))
      return [
        server(socket),
        { program: work.nginx, args: ['-c', config, '-p', folder, '-e', 'stderr'], cwd: folder },
      ]
    },
  }
}

function nginxConfig(input: {
  port: number
  socket: string
  protocol: 'http' | 'uwsgi'
  folder: string
}): string {
  const { port, socket, protocol, folder } = input
  const pass =
    protocol === 'http'
      ? 'proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;'
      : 'include /etc/nginx/uwsgi_params; uwsgi_pass app;'
  return `daemon off;
worker_processes 2;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; uwsgi_temp_path ${folder}/uwsgi;
  fastcgi_temp_path ${folder}/fastcgi; scgi_temp_path ${folder}/scgi;
  client_max_body_size 64m;
  keepalive_requests 1000000;
  upstream app { server unix:${socket}; keepalive 32; }
  server { listen 127.0.0.1:${port}; location / { ${pass} } }
}
`
}
