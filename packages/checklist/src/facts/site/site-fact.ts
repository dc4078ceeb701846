import { defineFact } from '../../define.ts'
import { headerValue, type SiteProbe } from './site-probe.ts'
import { SiteProber } from './site-prober.ts'

/** What asks the site that the user named: one for all facts of a run, so that its budget is one. */
export const siteProber = defineFact<SiteProber>({
  id: 'site-prober',
  title: 'Site named by --url',
  async collect({ site }) {
    return site === null ? null : new SiteProber(site)
  },
})

/** The site's first page, and the way to it. */
export interface SiteHome {
  /** Of the first page: what all other probes ask, too. */
  scheme: 'http' | 'https'
  /** The answers on the way, the first page's last; empty where the site was not reached. */
  probes: readonly SiteProbe[]
  /** What the plain port answers; null where the site is not asked there. */
  plain: SiteProbe | null
  /** Where the last answer leads instead: another host, or a port that is not asked. */
  leadsTo: string | null
  /** Whether redirects come back to where they were. */
  isLoop: boolean
  /** Why there is no page; null where there is one. */
  failure: string | null
}

const MAX_REDIRECTS = 5

/** Asks for the first page, following redirects within the site alone. */
export const siteHome = defineFact<SiteHome>({
  id: 'site-home',
  title: 'Site named by --url',
  async collect({ get }) {
    const prober = await get(siteProber)
    if (prober === null) return null
    const way = await follow(prober)
    const plain = way.failure === null && way.scheme === 'https' ? await askPlain(prober, way.probes) : null
    return { ...way, plain }
  },
})

async function follow(prober: SiteProber): Promise<Omit<SiteHome, 'plain'>> {
  let scheme: 'http' | 'https' = prober.url.protocol === 'https:' ? 'https' : 'http'
  let target = prober.url.pathname
  const probes: SiteProbe[] = []
  const seen = new Set<string>()
  for (;;) {
    let probe: SiteProbe
    try {
      probe = await prober.request({ scheme, target })
    } catch (error) {
      return { scheme, probes, leadsTo: null, isLoop: false, failure: (error as Error).message }
    }
    probes.push(probe)
    seen.add(probe.url)
    if (typeof probe.outcome === 'string') {
      const failure = {
        closed: 'It closed the connection',
        silent: 'It did not answer in time',
        garbage: 'Its answer is no HTTP',
      }
      return { scheme, probes, leadsTo: null, isLoop: false, failure: failure[probe.outcome] }
    }
    const next = redirectOf(probe)
    if (next === null) return { scheme, probes, leadsTo: null, isLoop: false, failure: null }
    const nextScheme = next.protocol === 'https:' ? 'https' : 'http'
    const isOwn = /^https?:$/.test(next.protocol) && isOfSite(prober, next, nextScheme)
    const isLoop = seen.has(next.href.replace(/[?#].*$/, '')) && next.search === ''
    if (!isOwn || isLoop || probes.length > MAX_REDIRECTS)
      return { scheme, probes, leadsTo: isOwn ? null : next.href, isLoop: isOwn, failure: null }
    scheme = nextScheme
    target = next.pathname + next.search
  }
}

function isOfSite(prober: SiteProber, url: URL, scheme: 'http' | 'https'): boolean {
  const port = scheme === 'http' ? prober.ports.plain : prober.ports.secure
  return port !== null && prober.origin(scheme) === url.origin
}

/** Where an answer sends its reader; null where it does not. */
export function redirectOf({ url, outcome }: SiteProbe): URL | null {
  if (typeof outcome === 'string' || outcome.status < 300 || outcome.status > 399) return null
  const location = headerValue(outcome, 'location')
  return location !== null && URL.canParse(location, url) ? new URL(location, url) : null
}

/** Nobody there is as good as a redirect. */
async function askPlain(prober: SiteProber, probes: readonly SiteProbe[]): Promise<SiteProbe | null> {
  const first = probes.find(({ url }) => url.startsWith('http:'))
  if (first !== undefined) return first
  if (prober.ports.plain === null) return null
  return prober.request({ scheme: 'http', target: prober.url.pathname }).catch(() => null)
}

/** The first page and who asks for more; null where there is none, so that rules about answers are skipped. */
export interface SiteAsker {
  prober: SiteProber
  scheme: 'http' | 'https'
  home: SiteProbe
}

/** See {@link SiteAsker}. */
export const siteAsker = defineFact<SiteAsker>({
  id: 'site-asker',
  title: 'Answer of a site named by --url',
  async collect({ get }) {
    const [prober, home] = [await get(siteProber), await get(siteHome)]
    if (prober === null || home === null || home.failure !== null) return null
    return { prober, scheme: home.scheme, home: home.probes.at(-1)! }
  },
})
