import { isOn, optionOf } from '@havn/checklist'
import type { ServerCommand } from '@havn/checklist'
import { defineCommandRule } from '../command-rule.ts'

/** How a server for development calls itself; null for one that is for production. */
function developmentName(command: ServerCommand): string | null {
  const { server, app } = command
  if (server === 'runserver') return "Django's runserver"
  if (server === 'flask') return "Flask's development server"
  if (server === 'fastapi') return isVerb(command, 'dev') ? 'fastapi dev' : null
  if (server === 'next') return isVerb(command, 'dev') ? 'next dev' : null
  if (server === 'nest') return optionOf(command, 'watch') !== null ? 'nest start --watch' : null
  if (server === 'nodemon') return 'nodemon'
  if (server === 'bundler') return "a bundler's development server"
  if (server === 'node') return isOn(optionOf(command, 'watch')) ? 'node --watch' : null
  if (server === 'npm') return /^dev(?::|$)/.test(app?.value ?? '') ? 'a script for development' : null
  return null
}

function isVerb({ options }: ServerCommand, verb: string): boolean {
  return options.some(({ name, value }) => name === 'verb' && value === verb)
}

export const developmentServer = defineCommandRule({
  id: 'server.development-server',
  title: 'A development server runs in production',
  severity: 'error',
  confidence: 'likely',
  hint: 'Start an application server: platform serve, gunicorn, uvicorn, node on what was built.',
  references: ['https://docs.djangoproject.com/en/5.2/ref/django-admin/#runserver'],
  docs: {
    what: 'Finds `runserver`, `flask run`, `fastapi dev`, `next dev`, nodemon and bundlers as what compose, Kubernetes, a Procfile, a unit or a script starts. Those in a Dockerfile’s own `CMD` are found by `dockerfile.development-server`.',
    why: 'Such servers show tracebacks, restart on change, and are neither fast nor safe.',
    bad: 'FROM python:3.13-slim\nCMD ["sh", "-c", "fastapi dev --host 0.0.0.0"]\n',
    good: 'FROM python:3.13-slim\nCMD ["fastapi", "run"]\n',
  },
  find(command) {
    const { origin, via } = command
    const name = developmentName(command)
    if (name === null) return null
    const isSeenThere = origin.kind === 'dockerfile' && via.length === 0 && command.wrappers.length === 0
    if (isSeenThere && /^(?:runserver|flask|nodemon|npm)$/.test(command.server)) return null
    // `npm start` is what people type at their desks.
    const confidence = origin.kind === 'package' ? ('possible' as const) : ('likely' as const)
    return { message: `${name} is started.`, confidence }
  },
})

export const reload = defineCommandRule({
  id: 'server.reload',
  title: 'The server reloads on change',
  severity: 'error',
  confidence: 'certain',
  hint: 'Take the option out; it is for development.',
  references: [
    'https://docs.gunicorn.org/en/stable/settings.html#reload',
    'https://www.uvicorn.org/settings/#development',
  ],
  docs: {
    what: 'Finds gunicorn, uvicorn, hypercorn, granian and uWSGI with reload on change, by an option, a variable or their file. A Dockerfile’s own `CMD` is left to `dockerfile.development-server`.',
    why: 'It watches every file, drops requests in flight when one changes, and with uvicorn leaves one process alone.',
    bad: 'FROM python:3.13-slim\nENV UVICORN_RELOAD=true\nCMD ["uvicorn", "shop:app"]\n',
    good: 'FROM python:3.13-slim\nCMD ["uvicorn", "shop:app"]\n',
  },
  servers: ['gunicorn', 'uvicorn', 'hypercorn', 'granian', 'uwsgi'],
  find(command) {
    const option = optionOf(command, 'reload')
    if (option === null || option.value === null || /^(?:0|false|no|off|)$/i.test(option.value)) return null
    const { origin, via, server } = command
    if (origin.kind === 'dockerfile' && via.length === 0 && option.from === 'argument' && server !== 'uwsgi')
      return null
    return { message: `${server} reloads on change (${option.spelling}).`, place: option.place }
  },
})

export const flaskDebug = defineCommandRule({
  id: 'server.flask-debug',
  title: "Flask's debugger is on",
  severity: 'error',
  confidence: 'certain',
  hint: 'Take the variable or the option out.',
  references: ['https://flask.palletsprojects.com/en/stable/debugging/', 'CWE-489'],
  docs: {
    what: 'Finds `FLASK_DEBUG`, `FLASK_ENV=development` and `flask --debug` in what runs in production.',
    why: 'The debugger runs whatever Python anybody sends to it.',
    bad: 'FROM python:3.13-slim\nENV FLASK_DEBUG=1\nCMD ["gunicorn", "shop:app"]\n',
    good: 'FROM python:3.13-slim\nENV FLASK_DEBUG=0\nCMD ["gunicorn", "shop:app"]\n',
  },
  find(command) {
    const { environment, server } = command
    const debug = environment.get('FLASK_DEBUG')
    if (debug !== undefined && /^(?:1|true|yes|on)$/i.test(debug.value ?? ''))
      return { message: `FLASK_DEBUG is ${debug.value}.`, place: debug.place }
    const mode = environment.get('FLASK_ENV')
    if (mode?.value === 'development') return { message: 'FLASK_ENV is development.', place: mode.place }
    const option = server === 'flask' ? optionOf(command, 'debug') : null
    return isOn(option) ? { message: 'flask runs with --debug.', place: option!.place } : null
  },
})

export const typescriptRuntime = defineCommandRule({
  id: 'server.typescript-at-start',
  title: 'TypeScript is compiled each time the server starts',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Compile in the build, and start what it made with node.',
  references: ['https://github.com/goldbergyoni/nodebestpractices'],
  docs: {
    what: 'Finds `ts-node` and `tsx` as what starts a server in production.',
    why: 'Starts are slow, memory goes to the compiler, and faults in types show up when a replica starts.',
    bad: 'FROM node:24-slim\nCMD ["ts-node", "src/server.ts"]\n',
    good: 'FROM node:24-slim\nENV NODE_ENV=production\nCMD ["node", "dist/server.js"]\n',
  },
  servers: ['ts-node'],
  find: ({ origin, app }) =>
    origin.kind === 'package' || /migrat|seed|script/.test(app?.value ?? '')
      ? null
      : { message: 'The source is compiled when it starts.' },
})
