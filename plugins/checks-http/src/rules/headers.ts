import {
  defineRule,
  headerValue,
  headerValues,
  isCompressed,
  readLinks,
  redirectOf,
  siteAsker,
  siteTrust,
} from '@havn/checklist'
import { about, isPage, pageOf } from '../page.ts'
import { parsePolicy, scriptSources, weaknessOf } from '../parse-policy.ts'

const docs = { language: 'http' }
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n'
const MDN = 'https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers'

/** An answer of the docs: the page's head, these lines, and a body. */
function example(lines: string, body = 'hi'): string {
  return `${HEAD}${lines === '' ? '' : `${lines}\r\n`}\r\n${body}`
}

export const cspMissing = defineRule({
  id: 'http.csp-missing',
  title: 'There is no Content-Security-Policy',
  severity: 'warn',
  confidence: 'certain',
  hint: "Send one; begin with Content-Security-Policy-Report-Only: default-src 'self' and see what it would refuse.",
  references: ['csp-not-implemented', 'security.E026', `${MDN}/Content-Security-Policy`],
  docs: {
    ...docs,
    what: 'Finds pages without `Content-Security-Policy`, in the header or in the page; one that only reports counts as none, and has a rule of its own.',
    why: 'A script that gets into the page by a hole runs as the page’s own.',
    bad: example(''),
    good: example("Content-Security-Policy: default-src 'self'"),
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const page = pageOf(facts.siteAsker)
    if (!isPage(facts.siteAsker) || policies(page).length > 0) return
    if (headerValue(page, 'content-security-policy-report-only') !== null) return
    report(about(facts.siteAsker.home, 'The page comes without one.'))
  },
})

export const cspReportOnly = defineRule({
  id: 'http.csp-report-only',
  title: 'The Content-Security-Policy only reports',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Send Content-Security-Policy as well, once the reports are quiet.',
  references: ['csp-not-implemented', `${MDN}/Content-Security-Policy-Report-Only`],
  docs: {
    ...docs,
    what: 'Finds pages with `Content-Security-Policy-Report-Only` alone.',
    why: 'It tells of scripts that should not run, and runs them.',
    bad: example("Content-Security-Policy-Report-Only: default-src 'self'"),
    good: example("Content-Security-Policy: default-src 'self'"),
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const page = pageOf(facts.siteAsker)
    if (headerValue(page, 'content-security-policy-report-only') === null || policies(page).length > 0) return
    report(about(facts.siteAsker.home, 'Nothing is enforced.'))
  },
})

export const cspUnsafe = defineRule({
  id: 'http.csp-unsafe',
  title: 'The Content-Security-Policy lets any script in',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Let scripts be known by a nonce or a hash, or by the hosts that they come from.',
  references: [
    'csp-implemented-with-unsafe-inline',
    'csp-implemented-with-unsafe-eval',
    'csp-implemented-with-insecure-scheme',
    `${MDN}/Content-Security-Policy/script-src`,
  ],
  docs: {
    ...docs,
    what: "Finds policies whose scripts may be `'unsafe-inline'` (without a nonce or a hash), `'unsafe-eval'`, or of any host, and those that say nothing of scripts.",
    why: 'Such a policy refuses nothing that an attacker would do.',
    bad: example("Content-Security-Policy: default-src 'self' 'unsafe-inline'"),
    good: example(
      "Content-Security-Policy: default-src 'self'; script-src 'nonce-2726c7f26c' 'strict-dynamic'",
    ),
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const all = policies(pageOf(facts.siteAsker)).map((text) => scriptSources(parsePolicy(text)))
    // Each policy must agree: one that is strict is enough.
    const weak = all.map((sources) =>
      sources === null ? 'no script-src or default-src' : weaknessOf(sources),
    )
    if (weak.length > 0 && weak.every((each) => each !== null))
      report(about(facts.siteAsker.home, `Its scripts: ${weak[0]}.`))
  },
})

function policies(page: ReturnType<typeof pageOf>): string[] {
  const metas = page.body.matchAll(
    /<meta\b[^>]{0,500}http-equiv\s*=\s*["']?Content-Security-Policy["']?[^>]{0,2000}>/gi,
  )
  const contents = [...metas].flatMap(
    ([tag]) => /\bcontent\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(tag)?.slice(1) ?? [],
  )
  return [
    ...headerValues(page, 'content-security-policy').flatMap((value) => value.split(',')),
    ...contents.filter((content) => content !== undefined),
  ]
}

export const nosniffMissing = defineRule({
  id: 'http.nosniff-missing',
  title: 'Browsers may guess what a file is',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Send X-Content-Type-Options: nosniff with all answers.',
  references: ['security.W006', 'x-content-type-options-not-implemented', `${MDN}/X-Content-Type-Options`],
  docs: {
    ...docs,
    what: 'Finds pages without `X-Content-Type-Options: nosniff`.',
    why: 'A file that a user uploaded as text runs as a script when it looks like one.',
    bad: example(''),
    good: example('X-Content-Type-Options: nosniff'),
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const value = headerValue(pageOf(facts.siteAsker), 'x-content-type-options')
    // Nothing is made of the body of a redirect.
    if (redirectOf(facts.siteAsker.home) === null && value?.toLowerCase() !== 'nosniff')
      report(about(facts.siteAsker.home, value === null ? 'It is not there.' : `It is "${value}".`))
  },
})

export const frameMissing = defineRule({
  id: 'http.frame-missing',
  title: 'Other sites may put the page into a frame',
  severity: 'warn',
  confidence: 'certain',
  hint: "Send X-Frame-Options: DENY, or frame-ancestors 'none' in the Content-Security-Policy.",
  references: ['security.W002', 'security.W019', 'x-frame-options-not-implemented', `${MDN}/X-Frame-Options`],
  docs: {
    ...docs,
    what: 'Finds pages with neither `X-Frame-Options` nor `frame-ancestors`.',
    why: 'Another site shows the page invisibly below its own buttons, and its visitors click in yours.',
    bad: example(''),
    good: example('X-Frame-Options: DENY'),
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const page = pageOf(facts.siteAsker)
    if (!isPage(facts.siteAsker)) return
    const isKept =
      /^(?:deny|sameorigin)$/i.test(headerValue(page, 'x-frame-options') ?? '') ||
      headerValues(page, 'content-security-policy').some((text) => parsePolicy(text).has('frame-ancestors'))
    if (!isKept) report(about(facts.siteAsker.home, 'Nothing forbids it.'))
  },
})

export const referrerMissing = defineRule({
  id: 'http.referrer-missing',
  title: 'Other sites learn the addresses of pages',
  severity: 'info',
  confidence: 'certain',
  hint: 'Send Referrer-Policy: strict-origin-when-cross-origin, or same-origin.',
  references: ['security.W022', 'referrer-policy-not-implemented', `${MDN}/Referrer-Policy`],
  docs: {
    ...docs,
    what: 'Finds pages without `Referrer-Policy`, or with `unsafe-url`.',
    why: 'Browsers of today are careful without it, older ones are not: tokens and names in addresses go to each site that is linked.',
    bad: example('Referrer-Policy: unsafe-url'),
    good: example('Referrer-Policy: same-origin'),
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const value = headerValue(pageOf(facts.siteAsker), 'referrer-policy')
    if (!isPage(facts.siteAsker) || (value !== null && !/unsafe-url\s*$/i.test(value))) return
    report(about(facts.siteAsker.home, value === null ? 'There is none.' : 'It is unsafe-url.'))
  },
})

export const permissionsMissing = defineRule({
  id: 'http.permissions-missing',
  title: 'Nothing says which powers of the browser the page needs',
  severity: 'info',
  confidence: 'certain',
  hint: 'Send Permissions-Policy: camera=(), microphone=(), geolocation=(), less what the site uses.',
  references: [`${MDN}/Permissions-Policy`],
  docs: {
    ...docs,
    what: 'Finds pages without `Permissions-Policy`.',
    why: 'A script that got in, or one of another firm, may ask for camera and place in the site’s name.',
    bad: example(''),
    good: example('Permissions-Policy: camera=(), microphone=(), geolocation=()'),
  },
  needs: { siteAsker },
  check({ facts, report }) {
    if (isPage(facts.siteAsker) && headerValue(pageOf(facts.siteAsker), 'permissions-policy') === null)
      report(about(facts.siteAsker.home, 'There is none.'))
  },
})

export const openerMissing = defineRule({
  id: 'http.opener-missing',
  title: 'Pages of other sites keep a hold on this one',
  severity: 'info',
  confidence: 'certain',
  hint: 'Send Cross-Origin-Opener-Policy: same-origin, as Django does by itself.',
  references: ['security.E024', `${MDN}/Cross-Origin-Opener-Policy`],
  docs: {
    ...docs,
    what: 'Finds pages without `Cross-Origin-Opener-Policy`.',
    why: 'A page that opened it can see where it goes, and lead it elsewhere.',
    bad: example(''),
    good: example('Cross-Origin-Opener-Policy: same-origin'),
  },
  needs: { siteAsker },
  check({ facts, report }) {
    if (
      isPage(facts.siteAsker) &&
      headerValue(pageOf(facts.siteAsker), 'cross-origin-opener-policy') === null
    )
      report(about(facts.siteAsker.home, 'There is none.'))
  },
})

/** `nginx/1.22.1`, `Apache/2.4.57 (Debian)`: with the number that lists of holes go by. */
const VERSION = /[A-Za-z][\w-]*\/\d+\.\d+/

export const versionBanner = defineRule({
  id: 'http.version-banner',
  title: 'The site tells the versions of its programs',
  severity: 'info',
  confidence: 'certain',
  hint: 'Switch it off: server_tokens off (nginx), ServerTokens Prod (Apache), app.disable("x-powered-by") (Express).',
  references: ['WSTG-INFO-02'],
  docs: {
    ...docs,
    what: 'Finds `Server` with a version, `X-Powered-By`, `X-AspNet-Version` and `X-Generator`.',
    why: 'When a hole is found in one of them, lists of sites that have it are ready.',
    bad: example('Server: nginx/1.22.1'),
    good: example('Server: nginx'),
  },
  needs: { siteAsker },
  check({ facts, report }) {
    for (const [name, value] of pageOf(facts.siteAsker).headers)
      if (
        /^(?:x-powered-by|x-aspnet(?:mvc)?-version|x-generator)$/i.test(name) ||
        (/^server$/i.test(name) && VERSION.test(value))
      )
        report({ ...about(facts.siteAsker.home, `${name}: ${value}`) })
  },
})

export const mixedContent = defineRule({
  id: 'http.mixed-content',
  title: 'The page loads over plain HTTP',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Write https:// there.',
  references: ['https://developer.mozilla.org/docs/Web/Security/Mixed_content'],
  docs: {
    language: 'html',
    what: 'Finds scripts, style sheets, frames and pictures of a page over https that are loaded over http.',
    why: 'Browsers refuse them, or show the page as not secure; whoever is on the way can change them.',
    bad: '<script src="http://cdn.example.com/app.js"></script>',
    good: '<script src="https://cdn.example.com/app.js"></script>',
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const { home, scheme } = facts.siteAsker
    if (scheme !== 'https') return
    for (const { element, url } of readLinks(pageOf(facts.siteAsker), home.url).plain.slice(0, 5))
      report(about(home, `${element} ${url.replace(/[?#].*$/, '')}`))
  },
})

export const cookieCached = defineRule({
  id: 'http.cookie-cached',
  title: 'A page with a cookie may be kept for others',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Send Cache-Control: private, or no-store, with whatever sets a cookie.',
  references: ['WSTG-ATHN-06', 'https://www.rfc-editor.org/rfc/rfc9111#section-7.3'],
  docs: {
    ...docs,
    what: 'Finds answers that set a cookie and are `public`, or have an `s-maxage`, and may be given on without asking again.',
    why: 'A cache on the way hands one visitor’s session to the next.',
    bad: example('Set-Cookie: sessionid=1; Secure; HttpOnly\r\nCache-Control: public, max-age=600'),
    good: example('Set-Cookie: sessionid=1; Secure; HttpOnly\r\nCache-Control: private'),
  },
  needs: { siteAsker },
  check({ facts, report }) {
    const page = pageOf(facts.siteAsker)
    const control = headerValues(page, 'cache-control').join(',')
    if (headerValues(page, 'set-cookie').length > 0 && isShared(control))
      report(about(facts.siteAsker.home, `It sets a cookie, and Cache-Control is ${control}.`))
  },
})

export const compressedSecrets = defineRule({
  id: 'http.compressed-secrets',
  title: 'A page with a secret is compressed',
  severity: 'info',
  confidence: 'possible',
  hint: 'Mask the token anew in each page, as Django does, or leave such pages uncompressed.',
  references: ['testssl: BREACH', 'CVE-2013-3587'],
  docs: {
    language: 'text',
    what: 'Finds compressed pages that hold a hidden field with a token, save those of Django and Rails, which mask it.',
    why: 'Where what the visitor sends comes back in the same page, the size of the answer tells the token, letter by letter.',
    bad: 'Content-Encoding: gzip, with the same <input name="token" value="…"> in each answer',
    good: 'Content-Encoding: gzip, with a token that is masked anew in each answer',
  },
  needs: { siteTrust, siteAsker },
  check({ facts, report }) {
    const fields = pageOf(facts.siteAsker).body.matchAll(
      /<input\b[^>]{0,300}name=["']?([\w-]*(?:token|csrf)[\w-]*)/gi,
    )
    const token = [...fields].map(([, name]) => name!).find((name) => !MASKED.has(name))
    if (token !== undefined && isCompressed(facts.siteTrust.compressed))
      report(about(facts.siteTrust.compressed, `It is compressed, and holds ${token}.`))
  },
})

/** Fields whose value is another one in each answer, by the frameworks that name them so. */
const MASKED = new Set(['csrfmiddlewaretoken', 'authenticity_token'])

/** Whether caches that serve several visitors may give an answer to the next one without asking (RFC 9111 §5.2.2). */
function isShared(control: string): boolean {
  const has = (directive: RegExp) => new RegExp(`(?:^|[\\s,])(?:${directive.source})`, 'i').test(control)
  if (has(/s-maxage\s*=\s*"?[1-9]/)) return true
  return has(/public\b/) && !has(/no-cache\b|no-store\b|(?:s-maxage|max-age)\s*=\s*"?0+\b/)
}
