import { defineFact } from '../../define.ts'
import { readLinks } from './page-links.ts'
import { siteAsker } from './site-fact.ts'
import { answerOf, headerValue, type SiteProbe } from './site-probe.ts'

/** What lies where nobody should find it. */
export type LeakKind = 'environment' | 'git' | 'backup'

/** A kind of page that is for those who run the site. */
export type InsideKind = 'metrics' | 'admin' | 'api-docs' | 'diagnostics'

/** What the site answers beside its first page. */
export interface SitePaths {
  /** A path that cannot be there. */
  missing: SiteProbe
  /** A path that does not decode. */
  malformed: SiteProbe
  /** What shows a file that must not be public; told by its content, since many sites answer 200 to everything. */
  leaks: readonly { kind: LeakKind; path: string; probe: SiteProbe; isThere: boolean }[]
  /** Ways out of the folder of static files: to a file that is on each Linux and holds no secret, or back in again. */
  traversals: readonly { path: string; probe: SiteProbe; isThere: boolean }[]
  inside: readonly { kind: InsideKind; path: string; probe: SiteProbe; isThere: boolean }[]
  /** Up to two scripts or style sheets of the first page. */
  assets: readonly SiteProbe[]
  /** Folders of static files. */
  listings: readonly { path: string; probe: SiteProbe; isThere: boolean }[]
}

const LEAKS: readonly { kind: LeakKind; path: string; content: RegExp }[] = [
  {
    kind: 'environment',
    path: '/.env',
    content: /^(?!\s*<)(?:\s*(?:#.*)?\n)*\s*(?:export\s+)?[A-Z][A-Z0-9_]+\s*=/,
  },
  { kind: 'git', path: '/.git/HEAD', content: /^(?:ref: refs\/|[0-9a-f]{40}\s*$)/ },
  { kind: 'git', path: '/.git/config', content: /^\s*\[core\]/m },
  { kind: 'backup', path: '/db.sqlite3', content: /^SQLite format 3\0/ },
  {
    kind: 'backup',
    path: '/backup.sql',
    content: /^-- (?:PostgreSQL|MySQL|MariaDB)|^(?:CREATE|INSERT|DROP) /m,
  },
  { kind: 'backup', path: '/settings.py', content: /^(?:SECRET_KEY|DATABASES|INSTALLED_APPS)\s*=/m },
  { kind: 'backup', path: '/docker-compose.yml', content: /^services:\s*$/m },
  { kind: 'backup', path: '/.DS_Store', content: /^\0\0\0\x01Bud1/ },
]

const INSIDE: readonly { kind: InsideKind; path: string; content: RegExp }[] = [
  { kind: 'metrics', path: '/metrics', content: /^# (?:HELP|TYPE) \w+/m },
  { kind: 'admin', path: '/admin/login/', content: /id="login-form"|Django administration/ },
  { kind: 'api-docs', path: '/openapi.json', content: /^\s*\{[\s\S]*"(?:openapi|swagger)"\s*:/ },
  { kind: 'diagnostics', path: '/server-status', content: /Apache Server Status|Server uptime/ },
  { kind: 'diagnostics', path: '/debug/pprof/', content: /\/debug\/pprof\/|Types of profiles available/ },
  { kind: 'diagnostics', path: '/actuator/env', content: /"(?:activeProfiles|propertySources)"\s*:/ },
]

/** As `/etc/os-release` begins: it names the system, and nothing else. */
const OS_RELEASE = /^(?:PRETTY_)?NAME=|^ID=/m
const LISTING = /<title>\s*(?:Index of|Directory listing for|Listing directory) |<h1>Index of \//i

/** What the site answers for paths that should not be there. Null without a site. */
export const sitePaths = defineFact<SitePaths>({
  id: 'site-paths',
  title: 'Answer of a site named by --url',
  async collect({ get }) {
    const asker = await get(siteAsker)
    if (asker === null) return null
    const { prober, scheme, home } = asker
    const ask = (target: string, method: 'GET' | 'HEAD' = 'GET') => prober.request({ scheme, target, method })
    const { assets } = readLinks(answerOf(home)!, home.url)
    // Where the page has its files; Django's usual folder where it names none.
    const folder = assets[0]?.replace(/[^/]*$/, '') ?? '/static/'
    const top = `/${folder.split('/')[1]}`
    const traversals = ['../', '%2e%2e/', '..%2f', '%252e%252e%252f'].map((step) => ({
      path: `${top === '/' ? '' : top}/${step.repeat(8)}etc/os-release`,
      content: OS_RELEASE,
    }))
    // nginx: `location /static { alias /srv/static/; }` leads to what lies beside, and so back to the file itself.
    const alias = assets[0] !== undefined && top !== '/' ? `${top}../${assets[0].slice(1)}` : null
    const asked = async <Wanted extends { path: string; content: RegExp }>(wanted: readonly Wanted[]) =>
      Promise.all(
        wanted.map(async ({ content, ...each }) => {
          const probe = await ask(each.path)
          const answer = answerOf(probe)
          return { ...each, probe, isThere: answer?.status === 200 && content.test(answer.body) }
        }),
      )
    const [missing, malformed, leaks, found, inside, assetProbes, listings, beside] = await Promise.all([
      ask('/havn-check-of-a-page-that-is-not-there'),
      ask('/%c0%af%ff'),
      asked(LEAKS),
      asked(traversals),
      asked(INSIDE),
      Promise.all(assets.slice(0, 2).map((path) => ask(path, 'HEAD'))),
      asked([...new Set([folder, '/media/'])].map((path) => ({ path, content: LISTING }))),
      alias === null ? null : ask(alias, 'HEAD'),
    ])
    const way =
      alias === null || beside === null
        ? []
        : [{ path: alias, probe: beside, isThere: isSameFile(beside, assetProbes[0]!) }]
    return {
      ...{ missing, malformed, leaks, inside, listings },
      ...{ assets: assetProbes, traversals: [...found, ...way] },
    }
  },
})

/** Told by its type and its length: where each path has the same page, neither is that of the file. */
function isSameFile(one: SiteProbe, other: SiteProbe): boolean {
  const [first, second] = [answerOf(one), answerOf(other)]
  if (first?.status !== 200 || second?.status !== 200) return false
  const type = headerValue(first, 'content-type')
  if (type === null || /html/i.test(type)) return false
  return ['content-type', 'content-length', 'etag'].every(
    (name) => headerValue(first, name) === headerValue(second, name),
  )
}
