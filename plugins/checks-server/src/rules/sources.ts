import { defineRule, serverCommands } from '@havn/checklist'
import { appSources, matchesIn } from '../app-sources.ts'
import { productionCommands } from '../command-rule.ts'

export const trustProxyAll = defineRule({
  id: 'server.trust-proxy-all',
  title: 'The app believes forwarded headers of everybody',
  severity: 'warn',
  confidence: 'certain',
  hint: "Name the proxies: app.set('trust proxy', 'loopback, 10.0.0.0/8'), or how many there are.",
  references: [
    'https://expressjs.com/en/guide/behind-proxies.html',
    'https://fastify.dev/docs/latest/Reference/Server/#trustproxy',
  ],
  docs: {
    what: 'Finds Express and Fastify that are told to trust every proxy.',
    why: 'Clients choose the address that limits, logs and blocks go by: X-Forwarded-For’s first word is theirs.',
    bad: "app.set('trust proxy', true)\n",
    good: "app.set('trust proxy', 1)\n",
    language: 'js',
  },
  needs: { appSources },
  check({ facts, report }) {
    const pattern =
      /\.set\(\s*(["'])trust proxy\1\s*,\s*true\s*\)|\.enable\(\s*(["'])trust proxy\2\s*\)|\btrustProxy\s*:\s*true\b/g
    for (const source of facts.appSources)
      for (const match of matchesIn(source, pattern))
        report({
          message: 'Every proxy is trusted.',
          place: source.placeOf(match.index, match.index + match[0].length),
        })
  },
})

export const insecureParserOption = defineRule({
  id: 'server.insecure-http-parser-option',
  title: "Node's parser takes requests that break the rules of HTTP",
  severity: 'error',
  confidence: 'certain',
  hint: 'Take the option out, and mend the client that needs it.',
  references: ['https://nodejs.org/api/http.html#httpcreateserveroptions-requestlistener', 'CWE-444'],
  docs: {
    what: 'Finds servers and clients that are made with `insecureHTTPParser: true`.',
    why: 'Where a proxy and a server read a request in two ways, a second one hides in it.',
    bad: 'createServer({ insecureHTTPParser: true }, app).listen(8000)\n',
    good: 'createServer(app).listen(8000)\n',
    language: 'js',
  },
  needs: { appSources },
  check({ facts, report }) {
    for (const source of facts.appSources)
      for (const match of matchesIn(source, /\binsecureHTTPParser\s*:\s*true\b/g))
        report({
          message: 'The parser is the insecure one.',
          place: source.placeOf(match.index, match.index + match[0].length),
        })
  },
})

export const flaskRun = defineRule({
  id: 'server.flask-run',
  title: "The app starts Flask's development server",
  severity: 'error',
  confidence: 'likely',
  hint: 'Start it with gunicorn, or platform serve.',
  references: ['https://flask.palletsprojects.com/en/stable/deploying/'],
  docs: {
    what: 'Finds `app.run()` of Flask in a file that production starts as a program.',
    why: 'It is neither fast nor safe; with debug=True anybody runs Python in it.',
    bad: '# CMD ["python", "app.py"]\nfrom flask import Flask\napp = Flask(__name__)\napp.run(host="0.0.0.0", debug=True)\n',
    good: '# CMD ["gunicorn", "app:app"]\nfrom flask import Flask\napp = Flask(__name__)\n',
    language: 'python',
  },
  needs: { serverCommands, appSources },
  check({ facts, report }) {
    for (const command of productionCommands(facts.serverCommands)) {
      if (command.server !== 'python' || command.app?.value == null) continue
      const path = command.app.value.replace(/^\.?\//, '')
      const source = facts.appSources.find(
        ({ file, text }) =>
          (path === file || path.endsWith(`/${file}`) || file.endsWith(`/${path}`)) &&
          /\bflask\b/i.test(text),
      )
      if (source === undefined) continue
      const [match] = matchesIn(source, /\b\w+\.run\(([^)]*)\)/g)
      if (match === undefined) continue
      const isDebug = /\bdebug\s*=\s*True\b/.test(match[1]!)
      report({
        message: isDebug ? 'It runs with the debugger.' : 'It runs the development server.',
        place: source.placeOf(match.index, match.index + match[0].length),
        related: [{ message: 'production starts it here', place: command.place }],
      })
    }
  },
})

export const pathLabel = defineRule({
  id: 'server.metric-path-label',
  title: 'Each path makes a metric of its own',
  severity: 'warn',
  confidence: 'possible',
  hint: "Label with the route's pattern: request.resolver_match.route, req.route.path.",
  references: ['https://prometheus.io/docs/practices/naming/#labels'],
  docs: {
    what: 'Finds metrics that are labelled with the path or URL as it was asked for.',
    why: 'Ids and scanners make series without end, in the app’s memory and in Prometheus.',
    bad: 'REQUESTS.labels(request.method, request.path).inc()\n',
    good: 'REQUESTS.labels(request.method, request.resolver_match.route).inc()\n',
    language: 'python',
  },
  needs: { appSources },
  check({ facts, report }) {
    const pattern =
      /(?:\.(?:labels|inc|observe)\(\s*(?:\{[^{}]{0,300}|[^()]{0,300}?)?|(?:\.startTimer|\bend\w*)\(\s*\{[^{}]{0,300})\b(?:request\.(?:path(?:_info)?|get_full_path\(\)|url\.path|url)|req\.(?:path|url|originalUrl))\b(?![\w.(])/g
    for (const source of facts.appSources)
      for (const match of matchesIn(source, pattern))
        report({
          message: 'The raw path is a label.',
          place: source.placeOf(match.index, match.index + match[0].length),
        })
  },
})

const PINO_HTTP =
  /\bimport\s+(?:\*\s*as\s+)?(\w+)\s+from\s*["']pino-http["']|\b(?:const|let|var)\s+(\w+)\s*=\s*require\(\s*["']pino-http["']\s*\)(?!\s*\()/g

/** How a file calls what it has from `pino-http`. */
function namesOfPinoHttp(text: string): string[] {
  return [...text.matchAll(PINO_HTTP)].map(([, imported, required]) => imported ?? required!)
}

export const pinoRedact = defineRule({
  id: 'server.pino-redact',
  title: 'Request logs may hold cookies and tokens',
  severity: 'info',
  confidence: 'possible',
  hint: "Add redact: ['req.headers.authorization', 'req.headers.cookie'].",
  references: ['https://github.com/pinojs/pino/blob/main/docs/redaction.md', 'CWE-532'],
  docs: {
    what: 'Finds `pino-http` without `redact` and without serializers of one’s own.',
    why: 'It logs all headers of each request: whoever reads the log is logged in as everybody.',
    bad: 'app.use(pinoHttp())\n',
    good: "app.use(pinoHttp({ redact: ['req.headers.authorization', 'req.headers.cookie'] }))\n",
    language: 'js',
  },
  needs: { appSources },
  check({ facts, report }) {
    for (const source of facts.appSources) {
      if (/(?<!-)\bredact\b|\bserializers\b/.test(source.text)) continue
      const called = ['pinoHttp', ...namesOfPinoHttp(source.text)].join('|')
      const pattern = new RegExp(`\\b(?:(?:${called})|require\\((["'])pino-http\\1\\))\\(`, 'g')
      for (const match of matchesIn(source, pattern))
        report({
          message: 'It logs headers as they come.',
          place: source.placeOf(match.index, match.index + match[0].length),
        })
    }
  },
})
