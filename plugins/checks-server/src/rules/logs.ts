import { optionOf } from '@havn/checklist'
import { defineCommandRule } from '../command-rule.ts'

const SECRET_FIELD = /%\(?\{(authorization|cookie|x-api-key|proxy-authorization)\}[io]\)?s?/i

export const logToFile = defineCommandRule({
  id: 'server.log-to-file',
  title: 'Logs go to a file in the container',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Write "-", or /dev/stdout: whatever runs the container collects it there.',
  references: ['https://12factor.net/logs'],
  docs: {
    what: 'Finds servers in containers whose logs go to a file.',
    why: 'Nobody sees them, they are gone with the container, and until then they fill its disk.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--access-logfile", "/var/log/access.log"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--access-logfile", "-"]\n',
  },
  servers: ['gunicorn', 'hypercorn', 'uwsgi', 'daphne', 'celery'],
  find(command) {
    if (!command.origin.isContainer) return null
    return ['access-log', 'error-log', 'logfile', 'f'].flatMap((name) => {
      const option = optionOf(command, name)
      if (
        option === null ||
        !/^(?!\/dev\/|\/proc\/)[\w./-]*[\w.]$/.test(option.value ?? '') ||
        option.value === 'true'
      )
        return []
      return /^(?:None|none)$/.test(option.value!)
        ? []
        : { message: `${option.spelling} is the file ${option.value}.`, place: option.place }
    })
  },
})

export const logSecrets = defineCommandRule({
  id: 'server.access-log-secrets',
  title: 'Secrets of clients are in the access log',
  severity: 'error',
  confidence: 'certain',
  hint: 'Take the header out of the format.',
  references: ['CWE-532', 'https://docs.gunicorn.org/en/stable/settings.html#access-log-format'],
  docs: {
    what: 'Finds formats of access logs with the headers Authorization, Cookie or X-API-Key.',
    why: 'Whoever reads the log, or any place that it is sent to, is logged in as everybody.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--access-logformat", "%(h)s %({authorization}i)s"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--access-logformat", "%(h)s %(U)s %(s)s"]\n',
  },
  servers: ['gunicorn', 'hypercorn', 'uwsgi', 'granian'],
  find(command) {
    const option = optionOf(command, 'access-log-format')
    const field = SECRET_FIELD.exec(option?.value ?? '')?.[1]
    return field === undefined
      ? null
      : { message: `The format has the header ${field}.`, place: option!.place }
  },
})

export const logQuery = defineCommandRule({
  id: 'server.access-log-query',
  title: 'Queries are in the access log',
  severity: 'info',
  confidence: 'possible',
  hint: 'Log the path alone: %(U)s.',
  references: ['CWE-532', 'CWE-598'],
  docs: {
    what: 'Finds formats of access logs of one’s own that have the request’s line or its query.',
    why: 'Tokens of password resets and of webhooks stand in queries.',
    bad: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--access-logformat", "%(h)s %(r)s"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--access-logformat", "%(h)s %(U)s"]\n',
  },
  servers: ['gunicorn', 'hypercorn'],
  find(command) {
    const option = optionOf(command, 'access-log-format')
    const field = /%\([rRq]\)s/.exec(option?.value ?? '')?.[0]
    return field === undefined ? null : { message: `The format has ${field}.`, place: option!.place }
  },
})
