import {
  answerOf,
  defineRule,
  headerValue,
  siteAsker,
  siteParsing,
  sitePaths,
  siteTrust,
} from '@havn/checklist'
import type { InsideKind, LeakKind, SitePaths } from '@havn/checklist'
import type { FindingReport } from '@havn/plugin-api'
import { DEBUG_PAGES, DEVELOPMENT_SERVER, STACK_TRACE } from '../debug-pages.ts'
import { about, allProbes, pageOf } from '../page.ts'

const docs = { language: 'text' }

export const environmentPublic = defineRule({
  id: 'http.environment-public',
  title: 'The file of variables can be read by everybody',
  severity: 'error',
  confidence: 'certain',
  hint: 'Make new secrets now: these are known. Serve a folder of static files alone, and no dotfiles.',
  references: ['WSTG-CONF-04', 'CWE-538'],
  docs: {
    ...docs,
    what: 'Asks for `/.env`, and finds variables in the answer.',
    why: 'Programs ask every site for it, all day: the secrets in it are known within hours.',
    bad: 'GET /.env -> 200 OK, SECRET_KEY=…',
    good: 'GET /.env -> 404 Not Found',
  },
  needs: { sitePaths },
  check: ({ facts, report }) => reportLeaks(facts.sitePaths, 'environment', 'It holds variables', report),
})

export const gitPublic = defineRule({
  id: 'http.git-public',
  title: 'The repository can be read by everybody',
  severity: 'error',
  confidence: 'certain',
  hint: 'Serve a folder that is no checkout, and no dotfiles; make new secrets where the history has some.',
  references: ['WSTG-CONF-04', 'CWE-527'],
  docs: {
    ...docs,
    what: 'Asks for `/.git/HEAD` and `/.git/config`, and finds them.',
    why: 'The whole source, with its history, can be put together from there.',
    bad: 'GET /.git/HEAD -> 200 OK, ref: refs/heads/main',
    good: 'GET /.git/HEAD -> 404 Not Found',
  },
  needs: { sitePaths },
  check: ({ facts, report }) => reportLeaks(facts.sitePaths, 'git', 'It is part of a repository', report),
})

export const backupPublic = defineRule({
  id: 'http.backup-public',
  title: 'Files of the project can be read by everybody',
  severity: 'error',
  confidence: 'certain',
  hint: 'Serve a folder of static files alone; make new secrets where these hold some.',
  references: ['WSTG-CONF-04', 'CWE-530'],
  docs: {
    ...docs,
    what: 'Asks for `/db.sqlite3`, `/backup.sql`, `/settings.py`, `/docker-compose.yml` and `/.DS_Store`, and finds them by their content.',
    why: 'Databases, dumps and settings hold what the site is there to protect.',
    bad: 'GET /db.sqlite3 -> 200 OK, SQLite format 3',
    good: 'GET /db.sqlite3 -> 404 Not Found',
  },
  needs: { sitePaths },
  check: ({ facts, report }) => reportLeaks(facts.sitePaths, 'backup', 'It is there', report),
})

function reportLeaks(
  { leaks }: SitePaths,
  kind: LeakKind,
  what: string,
  report: (finding: FindingReport) => void,
): void {
  for (const { kind: own, path, probe, isThere } of leaks)
    if (own === kind && isThere) report(about(probe, `${what}: ${path}.`))
}

export const traversal = defineRule({
  id: 'http.traversal',
  title: 'Paths lead out of the folder of static files',
  severity: 'error',
  confidence: 'certain',
  hint: 'Decode once, normalise, and refuse what climbs out. In nginx, end both location and alias with a slash.',
  references: ['WSTG-ATHZ-01', 'CWE-22'],
  docs: {
    ...docs,
    what: 'Asks for `/etc/os-release`, which only names the system, by `../` from the folder of static files: plain, encoded and encoded twice; and for a file of that folder by the way out that an alias of nginx without a slash leaves.',
    why: 'Every file that the server may read can be read by everybody: settings, keys, other people’s data.',
    bad: 'location /static { alias /srv/static/; }',
    good: 'location /static/ { alias /srv/static/; }',
  },
  needs: { sitePaths },
  check({ facts, report }) {
    for (const { path, probe, isThere } of facts.sitePaths.traversals)
      if (isThere) report(about(probe, `${path} is a file from outside.`))
  },
})

export const debugPage = defineRule({
  id: 'http.debug-page',
  title: 'The site runs in debug mode',
  severity: 'error',
  confidence: 'certain',
  hint: 'Set DEBUG = False (Django), debug=False (Flask, Starlette), NODE_ENV=production (Node), and start what was built.',
  references: ['security.W018', 'WSTG-ERRH-01', 'CWE-489'],
  docs: {
    ...docs,
    what: 'Finds the pages that Django, Werkzeug, Starlette, Next.js, Vite, Rails, Laravel and Symfony show to those who develop, in answers to a page that is not there, a path that does not decode, and a forged Host.',
    why: 'They show settings, paths and source; Werkzeug’s runs whatever is typed into it.',
    bad: 'You’re seeing this error because you have <code>DEBUG = True</code>',
    good: '<h1>Not Found</h1>',
  },
  needs: { siteAsker, siteTrust, sitePaths, siteParsing },
  check({ facts, report }) {
    for (const { name, pattern } of DEBUG_PAGES) {
      const found = allProbes(facts).find((probe) => pattern.test(answerOf(probe)?.body ?? ''))
      if (found !== undefined) report(about(found, `${name} is shown.`))
    }
  },
})

export const stackTrace = defineRule({
  id: 'http.stack-trace',
  title: 'Errors show the source',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Show a page of your own, and write the traceback to the log. In Express, that is NODE_ENV=production.',
  references: ['WSTG-ERRH-02', 'CWE-209'],
  docs: {
    ...docs,
    what: 'Finds tracebacks of Python, Node, Java and Go in answers with a status of 400 or above.',
    why: 'Paths, versions and names of functions tell an attacker where to look next.',
    bad: 'URIError: Failed to decode param\n    at decode_param (/app/node_modules/router/index.js:593:10)',
    good: '<h1>Bad Request</h1>',
  },
  needs: { siteAsker, siteTrust, sitePaths, siteParsing },
  check({ facts, report }) {
    const found = allProbes(facts).find((probe) => {
      const answer = answerOf(probe)
      return (
        answer !== null && answer.status >= 400 && STACK_TRACE.test(answer.body.replaceAll('&nbsp;', ' '))
      )
    })
    if (found !== undefined) report(about(found, 'The answer has a traceback.'))
  },
})

export const developmentServer = defineRule({
  id: 'http.development-server',
  title: 'A development server serves the site',
  severity: 'error',
  confidence: 'certain',
  hint: 'Serve it with platform up, or gunicorn, uvicorn and the like.',
  references: ['https://docs.djangoproject.com/en/stable/ref/django-admin/#runserver', 'CWE-489'],
  docs: {
    language: 'http',
    what: 'Finds `Server` of Django’s runserver, Werkzeug, Python’s http.server, PHP’s and Ruby’s own servers.',
    why: 'None of them went through any audit; most take one request at a time.',
    bad: 'HTTP/1.1 200 OK\r\nServer: WSGIServer/0.2 CPython/3.13.1\r\nContent-Type: text/html\r\n\r\nhi',
    good: 'HTTP/1.1 200 OK\r\nServer: gunicorn\r\nContent-Type: text/html\r\n\r\nhi',
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const server = headerValue(pageOf(facts.siteAsker), 'server')
    if (server !== null && DEVELOPMENT_SERVER.test(server))
      report(about(facts.siteAsker.home, `The server is ${server}.`))
  },
})

export const directoryListing = defineRule({
  id: 'http.directory-listing',
  title: 'Folders show what is in them',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Switch it off: autoindex off (nginx), Options -Indexes (Apache).',
  references: ['WSTG-CONF-04', 'CWE-548'],
  docs: {
    ...docs,
    what: 'Asks for the folder of static files and for `/media/`, and finds a list of files.',
    why: 'What users uploaded, and what was forgotten there, is found by everybody.',
    bad: 'autoindex on;',
    good: 'autoindex off;',
  },
  needs: { sitePaths },
  check({ facts, report }) {
    for (const { path, probe, isThere } of facts.sitePaths.listings)
      if (isThere) report(about(probe, `${path} is a list of files.`))
  },
})

const DAY_S = 86_400
const HASHED = /[.-][0-9a-f]{8,}\.(?:m?js|css)$|[.-][\w-]{8}\.(?:m?js|css)$/

export const assetsUncached = defineRule({
  id: 'http.assets-uncached',
  title: 'Browsers ask for scripts and style sheets again and again',
  severity: 'info',
  confidence: 'certain',
  hint: 'Send Cache-Control: public, max-age=31536000, immutable with files whose names have a hash (Django: ManifestStaticFilesStorage).',
  references: ['https://developer.mozilla.org/docs/Web/HTTP/Guides/Caching'],
  docs: {
    ...docs,
    what: 'Finds scripts and style sheets of the first page that may be kept for less than a day.',
    why: 'Each page waits for files that have not changed.',
    bad: 'GET /static/app.js -> no Cache-Control',
    good: 'GET /static/app.8f3c1a52.js -> Cache-Control: public, max-age=31536000, immutable',
  },
  needs: { sitePaths },
  check({ facts, report }) {
    for (const probe of facts.sitePaths.assets) {
      const answer = answerOf(probe)
      if (answer === null || answer.status !== 200) continue
      const control = headerValue(answer, 'cache-control') ?? ''
      const maxAgeS = Number(/max-age\s*=\s*"?(\d+)/i.exec(control)?.[1] ?? 0)
      if (maxAgeS >= DAY_S) continue
      const name = HASHED.test(new URL(probe.url).pathname) ? 'Its name has a hash, and it' : 'It'
      report(about(probe, `${name} may be kept for ${maxAgeS} seconds.`))
    }
  },
})

export const metricsPublic = defineRule({
  id: 'http.metrics-public',
  title: 'Metrics can be read by everybody',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Serve them on an address of the inside, as the platform’s management listener does.',
  references: ['CWE-200', 'https://prometheus.io/docs/operating/security/'],
  docs: {
    ...docs,
    what: 'Asks for `/metrics`, and finds Prometheus’ format.',
    why: 'They tell routes, load, errors and versions to whoever plans an attack, and cost work with each call.',
    bad: 'GET /metrics -> 200 OK, # HELP python_info',
    good: 'GET /metrics -> 404 Not Found',
  },
  needs: { sitePaths },
  check: ({ facts, report }) => reportInside(facts.sitePaths, 'metrics', report),
})

export const adminPublic = defineRule({
  id: 'http.admin-public',
  title: 'The login of the admin is where everybody looks for it',
  severity: 'info',
  confidence: 'possible',
  hint: 'Let addresses of yours in alone, or put it behind another login; bound how often it can be tried.',
  references: ['WSTG-CONF-05', 'CWE-307'],
  docs: {
    ...docs,
    what: 'Asks for `/admin/login/`, and finds Django’s login.',
    why: 'Passwords are tried there all day.',
    bad: 'GET /admin/login/ -> 200 OK',
    good: 'GET /admin/login/ -> 404 Not Found, from outside',
  },
  needs: { sitePaths },
  check: ({ facts, report }) => reportInside(facts.sitePaths, 'admin', report),
})

export const apiDocsPublic = defineRule({
  id: 'http.api-docs-public',
  title: 'The description of the API is public',
  severity: 'info',
  confidence: 'possible',
  hint: 'Serve it to those who use the API, unless everybody does (FastAPI: openapi_url=None).',
  references: ['WSTG-APIT-01', 'CWE-200'],
  docs: {
    ...docs,
    what: 'Asks for `/openapi.json`, and finds a description.',
    why: 'It names each way in, the forgotten ones as well.',
    bad: 'GET /openapi.json -> 200 OK',
    good: 'GET /openapi.json -> 404 Not Found',
  },
  needs: { sitePaths },
  check: ({ facts, report }) => reportInside(facts.sitePaths, 'api-docs', report),
})

export const diagnosticsPublic = defineRule({
  id: 'http.diagnostics-public',
  title: 'Diagnostics can be read by everybody',
  severity: 'error',
  confidence: 'certain',
  hint: 'Serve them on an address of the inside.',
  references: ['WSTG-CONF-05', 'CWE-200', 'CWE-215'],
  docs: {
    ...docs,
    what: 'Asks for `/server-status` (Apache), `/debug/pprof/` (Go) and `/actuator/env` (Spring), and finds them.',
    why: 'They show requests of others with their addresses, memory, and settings with secrets.',
    bad: 'GET /server-status -> 200 OK',
    good: 'GET /server-status -> 403 Forbidden',
  },
  needs: { sitePaths },
  check: ({ facts, report }) => reportInside(facts.sitePaths, 'diagnostics', report),
})

function reportInside(
  { inside }: SitePaths,
  kind: InsideKind,
  report: (finding: FindingReport) => void,
): void {
  for (const { kind: own, path, probe, isThere } of inside)
    if (own === kind && isThere) report(about(probe, `${path} answers.`))
}
