import { defineErrors } from '@havn/model/errors'

/** Errors between the listener and the app. */
export const hostErrors = defineErrors({
  HAVN_ERR_HOST_SOCKET: {
    kind: 'system',
    message: (seen: { path: string; reason: string }) =>
      `The socket for workers, ${seen.path}, cannot be opened: ${seen.reason}.`,
    hint: 'Choose a run directory that exists, is private (mode 0700) and has a path shorter than 90 bytes.',
  },
  HAVN_ERR_HOST_LOST: {
    kind: 'system',
    status: 502,
    message: (seen: { worker: number }) => `Worker ${seen.worker} ended while it had this request.`,
    hint: 'The worker is replaced. Its death is logged with its cause.',
  },
  HAVN_ERR_HOST_RESPONSE: {
    kind: 'user',
    status: 502,
    message: (seen: { reason: string }) => `The app sent a response that cannot go out: ${seen.reason}.`,
    hint: 'Correct the status or the headers in the app.',
  },
  HAVN_ERR_HOST_BROKE_OFF: {
    kind: 'user',
    status: 502,
    message: () => 'The app broke off its response.',
    hint: 'The error of the app is logged with its traceback.',
  },
  HAVN_ERR_HOST_FILE: {
    kind: 'user',
    status: 500,
    message: (seen: { path: string; reason: string }) =>
      `The app's response is the file ${seen.path}, which cannot be read: ${seen.reason}.`,
    hint: 'Check that the file exists and that the gateway may read it.',
  },
  HAVN_ERR_REQUEST_DEADLINE: {
    kind: 'user',
    status: 504,
    message: (seen: { timeoutMs: number }) => `The app did not finish within ${seen.timeoutMs} ms.`,
    hint: 'Make the view faster, or raise timeouts.requestMs.',
  },
  HAVN_ERR_REQUEST_BODY_TOO_LARGE: {
    kind: 'user',
    status: 413,
    message: (seen: { limitBytes: number }) => `The request's body is larger than ${seen.limitBytes} bytes.`,
    hint: 'Send less, or raise limits.maxBodyBytes.',
  },
  HAVN_ERR_REQUEST_BODY_SPOOL: {
    kind: 'system',
    status: 500,
    message: (seen: { path: string; reason: string }) =>
      `The request's body cannot be kept in ${seen.path}: ${seen.reason}.`,
    hint: 'Free space on that disk, or choose another run directory.',
  },
  HAVN_ERR_REQUEST_UPGRADE: {
    kind: 'user',
    status: 501,
    message: (seen: { reason: string }) => `The app does not take websockets: ${seen.reason}.`,
    hint: 'Serve an ASGI app, or export upgrade(request, socket, head) from a node app.',
  },
  HAVN_ERR_REQUEST_HANDSHAKE: {
    kind: 'user',
    status: 400,
    message: (seen: { reason: string }) => `The websocket handshake is not valid: ${seen.reason}.`,
    hint: 'Send the handshake of RFC 6455, section 4.1.',
  },
  HAVN_ERR_QUEUE_FULL: {
    kind: 'system',
    status: 503,
    message: (seen: { limit: number }) => `More than ${seen.limit} requests wait for a worker.`,
    hint: 'Add workers, or raise limits.maxQueue.',
  },
  HAVN_ERR_QUEUE_TIMEOUT: {
    kind: 'system',
    status: 503,
    message: (seen: { timeoutMs: number }) => `No worker took the request within ${seen.timeoutMs} ms.`,
    hint: 'Add workers, or raise timeouts.queueMs.',
  },
  HAVN_ERR_HOST_CLOSED: {
    kind: 'system',
    status: 503,
    message: () => 'The gateway is stopping.',
    hint: 'Try again.',
  },
  HAVN_ERR_APP_IMPORT: {
    kind: 'user',
    message: (seen: { file: string; reason: string }) => `The app ${seen.file} does not load: ${seen.reason}`,
    hint: 'Correct the error below; the stack is the app’s own.',
  },
  HAVN_ERR_APP_NOT_CALLABLE: {
    kind: 'user',
    message: (seen: { target: string; found: string; interface: string }) =>
      `${seen.target} is ${seen.found}, not ${expected[seen.interface] ?? 'an app'}.`,
    hint: (seen: { interface: string }) =>
      `Export ${expected[seen.interface] ?? 'the app'} as default, or name another export: file#export.`,
  },
  HAVN_ERR_APP_LIFESPAN: {
    kind: 'user',
    message: (seen: { reason: string }) => `The app refused to start: ${seen.reason}`,
    hint: 'Correct what its lifespan startup says.',
  },
  HAVN_ERR_APP_THREW: {
    kind: 'user',
    status: 500,
    message: (seen: { reason: string }) => `The app threw while it handled a request: ${seen.reason}`,
    hint: 'Correct the error below; the stack is the app’s own.',
  },
  HAVN_ERR_APP_DISPATCH: {
    kind: 'user',
    message: (seen: { interface: string }) =>
      `dispatch: "task" runs whole requests, which ${seen.interface} apps are not made for.`,
    hint: 'Serve it with dispatch: "inline", the default.',
  },
  HAVN_ERR_APP_NONE: {
    kind: 'user',
    status: 404,
    message: (seen: { path: string }) => `Nothing is served at ${seen.path}.`,
    hint: 'This gateway has no app: check the routes of its edge.',
  },
})

const expected: Record<string, string> = {
  any: 'an app: a function, an object with fetch(request), or an Express, Fastify or Koa app',
  wsgi: 'a WSGI app (environ, startResponse)',
  asgi: 'an ASGI app (scope, receive, send)',
  fetch: 'a function (request) => Response, or an object with fetch(request)',
  node: 'a listener (request, response), or an Express, Fastify or Koa app',
}
