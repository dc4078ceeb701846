import type { ServerName } from './server-command.ts'

/** Servers of WSGI and ASGI apps that are meant for production. */
export const pythonServers: ReadonlySet<ServerName> = new Set([
  'gunicorn',
  'uvicorn',
  'hypercorn',
  'daphne',
  'granian',
  'uwsgi',
  'waitress',
])
