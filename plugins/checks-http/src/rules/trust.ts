import {
  answerOf,
  defineRule,
  echoOf,
  FORGED_ADDRESS,
  FORGED_HOST,
  headerValue,
  redirectOf,
  siteAsker,
  siteTrust,
} from '@havn/checklist'
import type { SiteProbe } from '@havn/checklist'
import type { FindingReport } from '@havn/plugin-api'
import { about } from '../page.ts'

const docs = { language: 'text' }

export const hostForged = defineRule({
  id: 'http.host-forged',
  title: 'A forged Host is believed',
  severity: 'error',
  confidence: 'certain',
  hint: 'Answer for the site’s own names alone: hosts of a route, ALLOWED_HOSTS of Django, a default server in nginx that answers 444.',
  references: ['security.W020', 'WSTG-INPV-17', 'CWE-644'],
  docs: {
    ...docs,
    what: 'Asks with a `Host` that is not the site’s, and finds it again in a redirect, a header or the page.',
    why: 'Links in mails to reset passwords then lead to whatever host the attacker wrote, and caches keep pages that do.',
    bad: 'GET / with Host: evil.example -> Location: https://evil.example/login/',
    good: 'GET / with Host: evil.example -> 400 Bad Request',
  },
  needs: { siteTrust },
  check({ facts, report }) {
    const { forgedHost } = facts.siteTrust
    const where = echoOf(forgedHost, FORGED_HOST)
    if (where === null) return
    // A door that sends everybody to https with the name that they used believes nothing else of it.
    const next = redirectOf(forgedHost)
    const isDoor = next?.protocol === 'https:' && forgedHost.url.startsWith('http:')
    report({
      ...about(forgedHost, `It comes back in ${where}.`),
      ...(isDoor && { severity: 'warn' as const }),
    })
  },
})

export const forwardedHost = defineRule({
  id: 'http.forwarded-host',
  title: 'A forged X-Forwarded-Host is believed',
  severity: 'error',
  confidence: 'certain',
  hint: 'Let the edge take the header out of what clients send; believe it from the proxy’s address alone (trustedProxies).',
  references: ['WSTG-INPV-17', 'CWE-348'],
  docs: {
    ...docs,
    what: 'Asks with an `X-Forwarded-Host` that is not the site’s, and finds it again in the answer.',
    why: 'It is a forged Host by another way, past the checks of the first proxy.',
    bad: 'GET / with X-Forwarded-Host: evil.example -> <a href="https://evil.example/reset/">',
    good: 'GET / with X-Forwarded-Host: evil.example -> the same page as without',
  },
  needs: { siteTrust },
  check({ facts, report }) {
    const where = echoOf(facts.siteTrust.forwarded, FORGED_HOST)
    if (where !== null) report(about(facts.siteTrust.forwarded, `It comes back in ${where}.`))
  },
})

export const forwardedFor = defineRule({
  id: 'http.forwarded-for',
  title: 'A forged X-Forwarded-For is believed',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Let the edge write it from the address of the connection; believe it from the proxy’s address alone (trustedProxies).',
  references: ['CWE-348', 'CWE-290'],
  docs: {
    ...docs,
    what: 'Asks with an `X-Forwarded-For` of an address of documentation, and finds it again in the answer.',
    why: 'Limits by address, locks after failed logins and the access log go by what the attacker wrote.',
    bad: 'GET / with X-Forwarded-For: 203.0.113.77 -> Your address is 203.0.113.77',
    good: 'GET / with X-Forwarded-For: 203.0.113.77 -> Your address is 198.51.100.4',
  },
  needs: { siteTrust },
  check({ facts, report }) {
    const where = echoOf(facts.siteTrust.forwarded, FORGED_ADDRESS)
    if (where !== null) report(about(facts.siteTrust.forwarded, `It comes back in ${where}.`))
  },
})

export const forwardedProto = defineRule({
  id: 'http.forwarded-proto',
  title: 'A forged X-Forwarded-Proto is believed',
  severity: 'error',
  confidence: 'certain',
  hint: 'Let the edge write it itself, in the place of what clients send.',
  references: ['security.W008', 'CWE-348'],
  docs: {
    ...docs,
    what: 'Asks over plain HTTP with `X-Forwarded-Proto: https`, and finds that the redirect to https is gone; over https with `http`, that one came.',
    why: 'Pages and Secure cookies go over plain HTTP; and a cache that kept the redirect locks everybody out.',
    bad: 'GET http://example.com/ with X-Forwarded-Proto: https -> 200 OK',
    good: 'GET http://example.com/ with X-Forwarded-Proto: https -> 308, Location: https://example.com/',
  },
  needs: { siteTrust },
  check({ facts, report }) {
    const { forwardedProto: probe, protoBaseline: before } = facts.siteTrust
    if (probe === null || before === null || answerOf(probe) === null || answerOf(before) === null) return
    const isPlain = probe.url.startsWith('http:')
    const leadsToTls = (each: SiteProbe) => redirectOf(each)?.protocol === 'https:'
    if (isPlain && leadsToTls(before) && !leadsToTls(probe) && answerOf(probe)!.status < 400)
      report(about(probe, 'The redirect to https is gone.'))
    else if (!isPlain && !leadsToTls(before) && redirectOf(probe)?.href === before.url)
      report(about(probe, 'It redirects https to itself.'))
  },
})

export const corsReflected = defineRule({
  id: 'http.cors-reflected',
  title: 'Every site may read the answers',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Allow the origins that you know, one by one; never send back what the client wrote.',
  references: ['cross-origin-resource-sharing-implemented-with-universal-access', 'WSTG-CLNT-07', 'CWE-942'],
  docs: {
    ...docs,
    what: 'Asks with an `Origin` that is not the site’s, and finds it again in `Access-Control-Allow-Origin`; an error where credentials are allowed as well.',
    why: 'With credentials, a page that a visitor has open elsewhere reads here what only the visitor may.',
    bad: 'Access-Control-Allow-Origin: https://evil.example\nAccess-Control-Allow-Credentials: true',
    good: 'Access-Control-Allow-Origin: https://app.example.com',
  },
  needs: { siteTrust },
  check({ facts, report }) {
    judgeOrigin(facts.siteTrust.foreignOrigin, `https://${FORGED_HOST}`, report)
  },
})

export const corsNull = defineRule({
  id: 'http.cors-null',
  title: 'Pages without an origin may read the answers',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Never allow the origin null.',
  references: ['WSTG-CLNT-07', 'CWE-942'],
  docs: {
    ...docs,
    what: 'Asks with `Origin: null`, and finds that allowed; an error where credentials are allowed as well.',
    why: 'Any page can have that origin, by a frame with `sandbox`.',
    bad: 'Access-Control-Allow-Origin: null',
    good: 'Access-Control-Allow-Origin: https://app.example.com',
  },
  needs: { siteTrust },
  check({ facts, report }) {
    judgeOrigin(facts.siteTrust.nullOrigin, 'null', report)
  },
})

function judgeOrigin(probe: SiteProbe, origin: string, report: (finding: FindingReport) => void): void {
  const answer = answerOf(probe)
  if (answer === null || headerValue(answer, 'access-control-allow-origin') !== origin) return
  const isOpen = headerValue(answer, 'access-control-allow-credentials')?.toLowerCase() === 'true'
  report({
    ...about(probe, `${origin} is allowed${isOpen ? ', with credentials' : ''}.`),
    ...(isOpen && { severity: 'error' as const }),
  })
}

export const traceMethod = defineRule({
  id: 'http.trace-method',
  title: 'TRACE is answered',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Refuse it: TraceEnable off (Apache); answer the methods that the app has alone.',
  references: ['WSTG-CONF-06', 'CWE-693'],
  docs: {
    ...docs,
    what: 'Sends `TRACE` with a header, and finds the header again in the answer.',
    why: 'The answer shows what proxies on the way added, and cookies that scripts must not read.',
    bad: 'TRACE / -> 200 OK, Content-Type: message/http',
    good: 'TRACE / -> 405 Method Not Allowed',
  },
  needs: { siteTrust },
  check({ facts, report }) {
    const answer = answerOf(facts.siteTrust.trace)
    if (answer?.status === 200 && /x-havn-check: echo/i.test(answer.body))
      report(about(facts.siteTrust.trace, 'The request comes back.'))
  },
})

const PRIVATE_ADDRESS =
  /\b(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01])|169\.254)\.\d{1,3}(?:\.\d{1,3})\b|\b[\w-]+\.(?:internal|local|svc\.cluster\.local)\b/

export const internalAddress = defineRule({
  id: 'http.internal-address',
  title: 'The site tells an address of the inside',
  severity: 'info',
  confidence: 'likely',
  hint: 'Refuse requests without Host, or redirect to the site’s own name.',
  references: ['WSTG-INFO-02', 'CVE-2000-0649'],
  docs: {
    ...docs,
    what: 'Asks by HTTP/1.0 without `Host`, and finds a private address or name in a header of the answer.',
    why: 'It is a map of the network behind, for whoever comes next.',
    bad: 'GET / HTTP/1.0 -> Location: http://10.0.3.17:8000/login/',
    good: 'GET / HTTP/1.0 -> 400 Bad Request',
  },
  needs: { siteTrust, siteAsker },
  check({ facts, report }) {
    const answer = answerOf(facts.siteTrust.hostless)
    const host = new URL(facts.siteAsker.home.url).hostname
    const header = answer?.headers.find(([, value]) => {
      const seen = PRIVATE_ADDRESS.exec(value)?.[0]
      return seen !== undefined && seen !== host
    })
    if (header !== undefined) report(about(facts.siteTrust.hostless, `It is in ${header[0]}.`))
  },
})
