import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Contender, ContenderProcess } from './contender.ts'
import { behindNginx } from './nginx-contender.ts'

/** A Python app and the environment that it and its servers are installed in. */
export interface PythonWork {
  /** Absolute path of the interpreter. */
  python: string
  directory: string
  /** `module:attribute`. */
  target: string
  nginx: string
}

const workers = '2'

/**
 * The WSGI servers that people run today, 2 workers each, access logs off. What differs from their defaults is what
 * their documentation advises, or what keeps a run from failing.
 */
export function wsgiPeers(work: PythonWork): Contender[] {
  return [
    alone('gunicorn sync', (port) => gunicorn(work, `127.0.0.1:${port}`)),
    alone('gunicorn gthread', (port) =>
      gunicorn(work, `127.0.0.1:${port}`, '--worker-class', 'gthread', '--threads', '4'),
    ),
    alone('uwsgi --http', (port) =>
      uwsgi(work, '--http', `127.0.0.1:${port}`, '--http-keepalive', '--http-auto-chunked'),
    ),
    alone('granian', (port) => granian(work, 'wsgi', port)),
    // For apps that answer in about a millisecond its documentation advises very few threads.
    alone('granian 1 thread', (port) => granian(work, 'wsgi', port, '--blocking-threads', '1')),
    behindNginx(work.nginx, 'nginx + gunicorn', 'http', (socket) => gunicorn(work, `unix:${socket}`)),
    behindNginx(work.nginx, 'nginx + uwsgi', 'uwsgi', (socket) => uwsgi(work, '--socket', socket)),
  ]
}

/** The ASGI servers that people run today. */
export function asgiPeers(work: PythonWork): Contender[] {
  return [
    alone('uvicorn', (port) => uvicorn(work, '--host', '127.0.0.1', '--port', String(port))),
    alone('granian', (port) => granian(work, 'asgi', port, '--loop', 'uvloop')),
    behindNginx(work.nginx, 'nginx + uvicorn', 'http', (socket) => uvicorn(work, '--uds', socket)),
  ]
}

/** gunicorn has no access log unless asked for one. */
export function gunicorn(work: PythonWork, bind: string, ...more: string[]): ContenderProcess {
  const args = [work.target, '--bind', bind, '--workers', workers, '--log-level', 'warning', ...more]
  return script(work, 'gunicorn', args)
}

/**
 * The queue of 100 that uWSGI has by default would turn 128 connections into errors; its documentation advises the
 * lock where several processes accept.
 */
export function uwsgi(work: PythonWork, ...socket: string[]): ContenderProcess {
  const kernelLimit = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'))
  return script(work, 'uwsgi', [
    ...['--master', '--need-app', '--die-on-term', '--lazy-apps', '--enable-threads', '--thunder-lock'],
    ...[
      '--disable-logging',
      '--processes',
      workers,
      '--listen',
      String(Math.min(1024, kernelLimit)),
      '--module',
      work.target,
    ],
    ...socket,
  ])
}

function granian(work: PythonWork, kind: 'wsgi' | 'asgi', port: number, ...more: string[]): ContenderProcess {
  return script(work, 'granian', [
    ...['--interface', kind, '--host', '127.0.0.1', '--port', String(port), '--workers', workers],
    ...['--no-access-log', '--log-level', 'warning', ...more, work.target],
  ])
}

function uvicorn(work: PythonWork, ...bind: string[]): ContenderProcess {
  return script(work, 'uvicorn', [
    ...[work.target, ...bind, '--workers', workers, '--no-access-log', '--log-level', 'warning'],
    ...['--loop', 'uvloop', '--http', 'httptools'],
  ])
}

export function alone(name: string, process: (port: number) => ContenderProcess): Contender {
  return { name, processes: (port) => [process(port)] }
}

function script(work: PythonWork, name: string, args: string[]): ContenderProcess {
  return { program: join(dirname(work.python), name), args, cwd: work.directory }
}
