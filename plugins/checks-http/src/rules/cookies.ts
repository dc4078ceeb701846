import { answerOf, defineRule, headerValues, siteAsker, siteHome } from '@havn/checklist'
import type { SiteHome, SiteProbe } from '@havn/checklist'
import { about } from '../page.ts'
import { isCsrf, isSession, parseCookie, type Cookie } from '../parse-cookie.ts'

const docs = { language: 'http' }
const MDN = 'https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie'

function example(cookie: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: ${cookie}\r\n\r\nhi`
}

/** The cookies on the way to the first page, each once. */
function cookiesOf({ probes }: SiteHome): { cookie: Cookie; probe: SiteProbe }[] {
  const found = new Map<string, { cookie: Cookie; probe: SiteProbe }>()
  for (const probe of probes) {
    const answer = answerOf(probe)
    for (const text of answer === null ? [] : headerValues(answer, 'set-cookie')) {
      const cookie = parseCookie(text)
      found.set(cookie.name, { cookie, probe })
    }
  }
  return [...found.values()]
}

export const cookieInsecure = defineRule({
  id: 'http.cookie-insecure',
  title: 'A cookie also goes over plain HTTP',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set it with Secure (Django: SESSION_COOKIE_SECURE, CSRF_COOKIE_SECURE).',
  references: ['security.W012', 'security.W016', 'cookies-without-secure-flag', 'WSTG-SESS-02', MDN],
  docs: {
    ...docs,
    what: 'Finds cookies without `Secure`; an error where the cookie is a session.',
    why: 'One request over http, by an old link, and whoever is on the way has the session.',
    bad: example('sessionid=1; HttpOnly; SameSite=Lax'),
    good: example('sessionid=1; Secure; HttpOnly; SameSite=Lax'),
  },
  needs: { siteHome, siteAsker },
  check({ facts, report }) {
    for (const { cookie, probe } of cookiesOf(facts.siteHome))
      if (!cookie.isSecure)
        report({
          ...about(probe, `${cookie.name} is not Secure.`),
          ...(isSession(cookie) && { severity: 'error' as const }),
        })
  },
})

export const cookieScripts = defineRule({
  id: 'http.cookie-scripts',
  title: 'Scripts can read the session',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Set it with HttpOnly (Django: SESSION_COOKIE_HTTPONLY).',
  references: ['security.W013', 'cookies-session-without-httponly-flag', 'WSTG-SESS-02', MDN],
  docs: {
    ...docs,
    what: 'Finds cookies that are named like sessions and have no `HttpOnly`.',
    why: 'A script that gets into a page takes the session away, and the visitor does not notice.',
    bad: example('sessionid=1; Secure; SameSite=Lax'),
    good: example('sessionid=1; Secure; HttpOnly; SameSite=Lax'),
  },
  needs: { siteHome, siteAsker },
  check({ facts, report }) {
    for (const { cookie, probe } of cookiesOf(facts.siteHome))
      if (isSession(cookie) && !cookie.isHttpOnly) report(about(probe, `${cookie.name} has no HttpOnly.`))
  },
})

export const cookieSameSite = defineRule({
  id: 'http.cookie-same-site',
  title: 'A cookie does not say which sites may send it',
  severity: 'info',
  confidence: 'certain',
  hint: 'Set it with SameSite=Lax, or Strict; None needs Secure.',
  references: ['cookies-anticsrf-without-samesite-flag', 'WSTG-SESS-02', MDN],
  docs: {
    ...docs,
    what: 'Finds sessions and CSRF cookies without `SameSite`, and `SameSite=None` without `Secure`, which browsers refuse.',
    why: 'Not all browsers take Lax for what is not said: forms of other sites then come with the session.',
    bad: example('sessionid=1; Secure; HttpOnly'),
    good: example('sessionid=1; Secure; HttpOnly; SameSite=Lax'),
  },
  needs: { siteHome, siteAsker },
  check({ facts, report }) {
    for (const { cookie, probe } of cookiesOf(facts.siteHome)) {
      const { name, sameSite, isSecure } = cookie
      if (sameSite === 'none' && !isSecure)
        report({
          ...about(probe, `${name} is SameSite=None without Secure: browsers refuse it.`),
          severity: 'warn',
        })
      else if (sameSite === null && (isSession(cookie) || isCsrf(name)))
        report(about(probe, `${name} has no SameSite.`))
    }
  },
})

export const cookiePrefix = defineRule({
  id: 'http.cookie-prefix',
  title: 'A cookie breaks the promise of its name',
  severity: 'warn',
  confidence: 'certain',
  hint: '__Secure- needs Secure; __Host- needs Secure, Path=/ and no Domain.',
  references: ['https://www.rfc-editor.org/rfc/rfc6265#section-5', MDN],
  docs: {
    ...docs,
    what: 'Finds cookies named `__Secure-…` or `__Host-…` without what that asks for.',
    why: 'Browsers refuse them: nobody stays logged in.',
    bad: example('__Host-sessionid=1; Secure; HttpOnly; SameSite=Lax; Path=/shop'),
    good: example('__Host-sessionid=1; Secure; HttpOnly; SameSite=Lax; Path=/'),
  },
  needs: { siteHome, siteAsker },
  check({ facts, report }) {
    for (const { cookie, probe } of cookiesOf(facts.siteHome)) {
      const { name, isSecure, path, domain } = cookie
      // In whatever letters (RFC 6265bis §4.1.3).
      const [prefix] = /^__(?:host|secure)-/.exec(name.toLowerCase()) ?? []
      if (prefix === undefined) continue
      const isHost = prefix === '__host-'
      if (!isSecure || (isHost && (path !== '/' || domain !== null)))
        report(about(probe, `${name} is refused by browsers.`))
    }
  },
})

export const cookieDomain = defineRule({
  id: 'http.cookie-domain',
  title: 'A session goes to all subdomains',
  severity: 'info',
  confidence: 'likely',
  hint: 'Leave Domain away, unless the subdomains are one application.',
  references: ['WSTG-SESS-02', MDN],
  docs: {
    ...docs,
    what: 'Finds sessions with a `Domain`.',
    why: 'Each subdomain gets the session, the forgotten ones and those of other firms included.',
    bad: example('sessionid=1; Secure; HttpOnly; SameSite=Lax; Domain=example.com'),
    good: example('sessionid=1; Secure; HttpOnly; SameSite=Lax'),
  },
  needs: { siteHome, siteAsker },
  check({ facts, report }) {
    for (const { cookie, probe } of cookiesOf(facts.siteHome))
      if (isSession(cookie) && cookie.domain !== null)
        report(about(probe, `${cookie.name} is for ${cookie.domain} and all below it.`))
  },
})
