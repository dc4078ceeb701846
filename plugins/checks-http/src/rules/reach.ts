import { defineRule, headerValues, redirectOf, siteAsker, siteHome } from '@havn/checklist'
import { about, pageOf } from '../page.ts'
import { parseHsts } from '../parse-hsts.ts'

const docs = { language: 'http' }
const MDN_HSTS = 'https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Strict-Transport-Security'

export const unreachable = defineRule({
  id: 'http.unreachable',
  title: 'The site does not answer',
  severity: 'error',
  confidence: 'certain',
  hint: 'Start it, or correct the address behind --url.',
  references: [],
  docs: {
    ...docs,
    what: 'Finds sites that are not there, close the connection, do not answer in time, or answer with what is no HTTP.',
    why: 'Nothing else about it can be judged, and nobody else reaches it either.',
    bad: 'SSH-2.0-OpenSSH_9.2\r\n',
    good: 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nhi',
  },
  needs: { siteHome },
  check({ facts, report }) {
    const { failure, probes, scheme } = facts.siteHome
    if (failure === null) return
    const last = probes.at(-1)
    if (last === undefined) report({ message: `${failure}.`, resource: scheme })
    else report(about(last, `${failure}.`))
  },
})

export const serverError = defineRule({
  id: 'http.server-error',
  title: 'The first page is an error of the server',
  severity: 'error',
  confidence: 'certain',
  hint: 'Look into the log of the app, or of the proxy where the app behind it is gone.',
  references: [],
  docs: {
    ...docs,
    what: 'Finds sites whose first page has a status of 500 or above.',
    why: 'That is what everybody sees.',
    bad: 'HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\nBad Gateway',
    good: 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nhi',
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const { status } = pageOf(facts.siteAsker)
    if (status >= 500) report(about(facts.siteAsker.home, `It answers ${status}.`))
  },
})

export const redirectLoop = defineRule({
  id: 'http.redirect-loop',
  title: 'Redirects lead nowhere',
  severity: 'error',
  confidence: 'likely',
  hint: 'Behind a proxy that ends TLS, tell the app that the scheme was https (Django: SECURE_PROXY_SSL_HEADER).',
  references: ['security.W008'],
  docs: {
    ...docs,
    what: 'Finds first pages that redirect to themselves, or through more than five redirects.',
    why: 'Browsers give up, and nobody sees the site. Mostly the app redirects to https what the proxy hands it as http, again and again.',
    bad: 'HTTP/1.1 301 Moved Permanently\r\nLocation: /\r\nContent-Length: 0\r\n\r\n',
    good: 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nhi',
  },
  needs: { siteHome },
  check({ facts, report }) {
    const { isLoop, probes } = facts.siteHome
    if (isLoop) report(about(probes.at(-1)!, `It still redirects after ${probes.length} answers.`))
  },
})

export const redirectForeign = defineRule({
  id: 'http.redirect-foreign',
  title: 'The site sends its visitors to another host',
  severity: 'info',
  confidence: 'certain',
  hint: 'Name that host behind --url where it is the one to check: it was not asked.',
  references: ['redirection-off-host-from-http'],
  docs: {
    ...docs,
    what: 'Finds first pages that redirect to a host or port that was not named.',
    why: 'What was checked is the redirect, not the site behind it. HSTS of this host is never learned either where plain HTTP leads away at once.',
    bad: 'HTTP/1.1 301 Moved Permanently\r\nLocation: https://www.example.com/\r\nContent-Length: 0\r\n\r\n',
    good: 'HTTP/1.1 302 Found\r\nLocation: /start\r\nContent-Length: 0\r\n\r\n',
  },
  needs: { siteHome },
  check({ facts, report }) {
    const { leadsTo, probes } = facts.siteHome
    if (leadsTo !== null)
      report(about(probes.at(-1)!, `It leads to ${new URL(leadsTo).origin}, which was not asked.`))
  },
})

export const httpsMissing = defineRule({
  id: 'http.https-missing',
  title: 'The site is served without TLS',
  severity: 'error',
  confidence: 'certain',
  hint: 'Serve it over https, and answer on port 80 with a redirect there: redirectFrom of the platform, SECURE_SSL_REDIRECT of Django.',
  references: ['security.W008', 'redirection-missing', 'WSTG-CRYP-03'],
  docs: {
    language: 'text',
    what: 'Finds sites that show pages over plain HTTP in place of a redirect to https.',
    why: 'Whoever is on the way, in the café as at the provider, reads and changes what goes by: passwords, sessions, scripts.',
    bad: 'GET http://example.com/ -> 200 OK',
    good: 'GET http://example.com/ -> 308, Location: https://example.com/',
  },
  needs: { siteHome },
  check({ facts, report }) {
    const { scheme, plain, probes, failure, leadsTo, isLoop } = facts.siteHome
    if (failure !== null || isLoop) return
    const probe = scheme === 'http' ? probes.at(-1)! : plain
    if (probe === null || typeof probe.outcome === 'string') return
    const next = leadsTo === null ? redirectOf(probe) : new URL(leadsTo)
    if (next?.protocol === 'https:' || probe.outcome.status >= 400) return
    report(about(probe, `It answers ${probe.outcome.status} over plain HTTP.`))
  },
})

export const hstsMissing = defineRule({
  id: 'http.hsts-missing',
  title: 'Browsers are not told to stay with https',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Send Strict-Transport-Security: max-age=31536000 (Django: SECURE_HSTS_SECONDS; the edge: edge.security).',
  references: ['security.W004', 'hsts-not-implemented', MDN_HSTS],
  docs: {
    language: 'text',
    what: 'Finds pages over https without `Strict-Transport-Security`, or with one that browsers pass over.',
    why: 'The first request of each visit may go over plain HTTP, where anybody on the way can keep it from ever becoming https.',
    bad: 'HTTP/1.1 200 OK',
    good: 'HTTP/1.1 200 OK\nStrict-Transport-Security: max-age=31536000; includeSubDomains',
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const { home, scheme } = facts.siteAsker
    if (scheme !== 'https') return
    const values = headerValues(pageOf(facts.siteAsker), 'strict-transport-security')
    if (values.length === 0) report(about(home, 'There is no Strict-Transport-Security.'))
    // The first one counts (RFC 6797 §8.1), and this one says nothing.
    else if (parseHsts(values[0]!) === null) report(about(home, 'Browsers pass over the header as it is.'))
  },
})

const HALF_A_YEAR_S = 15_768_000

export const hstsShort = defineRule({
  id: 'http.hsts-short',
  title: 'Browsers forget soon to stay with https',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Let max-age be half a year (15768000) or more, once all of the site works over https.',
  references: ['hsts-max-age-less-than-six-months', MDN_HSTS],
  docs: {
    language: 'text',
    what: 'Finds `Strict-Transport-Security` with a `max-age` below 15768000 seconds.',
    why: 'Whoever comes back later than that is as open to attack as on the first visit.',
    bad: 'Strict-Transport-Security: max-age=3600',
    good: 'Strict-Transport-Security: max-age=31536000',
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const { home, scheme } = facts.siteAsker
    const [value] = headerValues(pageOf(facts.siteAsker), 'strict-transport-security')
    const hsts = scheme === 'https' && value !== undefined ? parseHsts(value) : null
    if (hsts !== null && hsts.maxAgeS < HALF_A_YEAR_S)
      report(about(home, `max-age is ${hsts.maxAgeS} seconds.`))
  },
})

export const hstsTwice = defineRule({
  id: 'http.hsts-twice',
  title: 'Strict-Transport-Security comes twice',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Send it in one place: the app or the proxy in front.',
  references: ['hsts-header-invalid', 'https://www.rfc-editor.org/rfc/rfc6797#section-8.1'],
  docs: {
    language: 'text',
    what: 'Finds pages with more than one `Strict-Transport-Security`.',
    why: 'Browsers take the first one, whichever that is: the other may be the one that was meant.',
    bad: 'Strict-Transport-Security: max-age=60\nStrict-Transport-Security: max-age=31536000',
    good: 'Strict-Transport-Security: max-age=31536000',
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const { home, scheme } = facts.siteAsker
    const values = headerValues(pageOf(facts.siteAsker), 'strict-transport-security')
    if (scheme === 'https' && values.length > 1) report(about(home, `It comes ${values.length} times.`))
  },
})

export const hstsSubdomains = defineRule({
  id: 'http.hsts-subdomains',
  title: 'Subdomains are left out of HSTS',
  severity: 'info',
  confidence: 'certain',
  hint: 'Add includeSubDomains, once each of them works over https.',
  references: ['security.W005', MDN_HSTS],
  docs: {
    language: 'text',
    what: 'Finds `Strict-Transport-Security` without `includeSubDomains`.',
    why: 'A subdomain over plain HTTP can set cookies for the whole domain.',
    bad: 'Strict-Transport-Security: max-age=31536000',
    good: 'Strict-Transport-Security: max-age=31536000; includeSubDomains',
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const { home, scheme } = facts.siteAsker
    const [value] = headerValues(pageOf(facts.siteAsker), 'strict-transport-security')
    const hsts = scheme === 'https' && value !== undefined ? parseHsts(value) : null
    if (hsts !== null && !hsts.includesSubDomains) report(about(home, 'There is no includeSubDomains.'))
  },
})
