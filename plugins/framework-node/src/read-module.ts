import type { AppInterface } from '@havn/model'

const frameworks: Record<string, string> = {
  fastify: 'Fastify',
  express: 'Express',
  hono: 'Hono',
  koa: 'Koa',
  h3: 'H3',
  polka: 'Polka',
  '@havn/protocol': 'Havn protocol',
}

const usualHealthPaths = [
  '/healthz',
  '/health',
  '/livez',
  '/up',
  '/ping',
  '/-/health',
  '/api/health',
  '/status',
]

/** What the text of a module shows of an app. */
export interface ModuleSigns {
  /** Package name and display name of the framework that it imports. */
  framework: { package: string; name: string } | null
  /** It imports a framework or node:http, or handles requests by the shape of its functions. */
  isServer: boolean
  /** Line of its default export; null when it has none. */
  exportLine: number | null
  /** Line of a `listen()` that runs when the module is imported; null for none. */
  listenLine: number | null
  interface: AppInterface
  /** Why that interface, as a sentence. */
  because: string
  healthPath: string | null
}

/** Reads the text of a module; nothing of it is run, so that what it starts does not start. */
export function readModule(source: string): ModuleSigns {
  const text = withoutComments(source)
  const framework = findFramework(text)
  const answer = findInterface(text, framework)
  const handlesRequests =
    /\bnew Response\(|\bResponse\.json\(|\bServerResponse\b|\(\s*(req|request)\s*,\s*(res|response|reply)\b/
  return {
    framework,
    isServer: framework !== null || importsPackage(text, '(?:node:)?https?') || handlesRequests.test(text),
    exportLine: lineOf(
      text,
      /^[ \t]*(?:export\s+default\b|module\.exports\s*=|export\s*\{[^}]*\bas\s+default\b)/m,
    ),
    listenLine: isGuarded(text) ? null : lineOf(text, /\.listen\s*\(|^[ \t]*serve\s*\(/m),
    ...answer,
    healthPath: usualHealthPaths.find((path) => new RegExp(`['"\`]${path}/?['"\`]`).test(text)) ?? null,
  }
}

function findFramework(text: string): ModuleSigns['framework'] {
  const found = Object.entries(frameworks).find(([name]) => importsPackage(text, name))
  return found ? { package: found[0], name: found[1] } : null
}

function findInterface(
  text: string,
  framework: ModuleSigns['framework'],
): { interface: AppInterface; because: string } {
  const defined = /\bdefine(Wsgi|Asgi|Fetch|Node)\s*\(/.exec(text)?.[1]
  if (defined) {
    return { interface: defined.toLowerCase() as AppInterface, because: `it is marked with define${defined}` }
  }
  if (framework?.package === 'hono') return { interface: 'fetch', because: 'Hono apps have fetch(request)' }
  const handlesFetch = /\bnew Response\(|\bResponse\.json\(|export\s+default\s*\{[^}]*\bfetch\b/
  if (!framework && handlesFetch.test(text))
    return { interface: 'fetch', because: 'it answers with a Response' }
  const because = framework
    ? `${framework.name} answers node:http's requests`
    : 'it takes (request, response)'
  return { interface: 'node', because }
}

/** `import … from 'x'`, `import 'x'`, `require('x')`, and paths below x. */
function importsPackage(text: string, name: string): boolean {
  return new RegExp(`(?:from\\s*|import\\s*|require\\(\\s*|import\\(\\s*)['"]${name}(?:/[^'"]*)?['"]`).test(
    text,
  )
}

/** What runs only when the module is the program itself is not run by an import. */
function isGuarded(text: string): boolean {
  return /import\.meta\.main|require\.main\s*===\s*module|import\.meta\.url\s*===|process\.argv\[1\]\s*===/.test(
    text,
  )
}

/** Comments as spaces, lines kept. */
function withoutComments(text: string): string {
  const pattern = /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g
  return text.replace(pattern, (match, quoted?: string) => quoted ?? match.replace(/[^\n]/g, ' '))
}

function lineOf(text: string, pattern: RegExp): number | null {
  const match = pattern.exec(text)
  if (!match) return null
  const leading = /^\s*/.exec(match[0])?.[0].length ?? 0
  return text.slice(0, match.index + leading).split('\n').length
}
