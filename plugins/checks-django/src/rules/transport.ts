import { placeOfText } from '@havn/checklist'
import { settingRule } from '../setting-rule.ts'
import { hasSecurityMiddleware, middlewareOf, SECURITY_MIDDLEWARE } from '../values.ts'

const SECURITY = 'https://docs.djangoproject.com/en/stable/ref/middleware/#security-middleware'
const middleware = (...names: string[]) =>
  `MIDDLEWARE = [\n${names.map((name) => `    '${name}',\n`).join('')}]\n`
const SECURED = middleware(SECURITY_MIDDLEWARE)

export const securityMiddlewareMissing = settingRule({
  id: 'django.security-middleware-missing',
  title: 'SecurityMiddleware is missing',
  severity: 'warn',
  confidence: 'certain',
  hint: `Put '${SECURITY_MIDDLEWARE}' first in MIDDLEWARE.`,
  references: ['security.W001', SECURITY],
  replaces: ['security.W001'],
  docs: {
    what: 'Finds `MIDDLEWARE` without `SecurityMiddleware`.',
    why: 'All settings that begin with `SECURE_` do nothing without it: no redirect, no HSTS, no headers.',
    bad: "MIDDLEWARE = ['django.middleware.common.CommonMiddleware']\n",
    good: SECURED,
  },
  judge(project) {
    const setting = project.setting('MIDDLEWARE')
    if (setting === null || hasSecurityMiddleware(project)) return null
    return { setting, message: 'MIDDLEWARE has no SecurityMiddleware.' }
  },
})

export const securityMiddlewareLate = settingRule({
  id: 'django.security-middleware-late',
  title: 'SecurityMiddleware comes late',
  severity: 'info',
  confidence: 'certain',
  hint: 'Move it to the front of MIDDLEWARE.',
  references: ['https://docs.djangoproject.com/en/stable/ref/middleware/#middleware-ordering'],
  docs: {
    what: 'Finds `SecurityMiddleware` behind middleware that answers requests or opens sessions.',
    why: 'What comes before it answers over plain HTTP, and without its headers.',
    bad: middleware('django.middleware.common.CommonMiddleware', SECURITY_MIDDLEWARE),
    good: middleware(SECURITY_MIDDLEWARE, 'django.middleware.common.CommonMiddleware'),
  },
  judge(project) {
    const names = middlewareOf(project) ?? []
    const at = names.indexOf(SECURITY_MIDDLEWARE)
    const before = names
      .slice(0, Math.max(at, 0))
      .find((name) => /^django\.(?:contrib\.(?!sites)|middleware\.)/.test(name))
    const setting = project.setting('MIDDLEWARE')
    if (before === undefined || setting === null) return null
    const message = `${before.split('.').at(-1)} comes before it.`
    return { setting, place: placeOfText(setting, SECURITY_MIDDLEWARE), message }
  },
})

/** Browsers' lists take no less; shorter ones are a beginning. */
const LONG_S = 15_768_000

export const hstsMissing = settingRule({
  id: 'django.hsts-missing',
  title: 'Browsers may come back over plain HTTP',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set SECURE_HSTS_SECONDS = 3600, and raise it to 31536000 once all is well; or let the proxy send it.',
  references: [
    'security.W004',
    'https://docs.djangoproject.com/en/stable/ref/middleware/#http-strict-transport-security',
  ],
  replaces: ['security.W004'],
  docs: {
    what: 'Finds `SECURE_HSTS_SECONDS` that is 0, where the edge does not send the header itself.',
    why: 'The first request of each visit goes over plain HTTP, where others can read and answer it.',
    bad: `SECURE_HSTS_SECONDS = 0\n${SECURED}`,
    good: `SECURE_HSTS_SECONDS = 31536000\n${SECURED}`,
  },
  judge(project, { sendsHsts }) {
    const setting = project.setting('SECURE_HSTS_SECONDS')
    if (setting === null || sendsHsts || !hasSecurityMiddleware(project)) return null
    if (!setting.value)
      return { setting, message: 'SECURE_HSTS_SECONDS is 0: no Strict-Transport-Security is sent.' }
    const isShort = typeof setting.value === 'number' && setting.value < LONG_S
    return isShort
      ? {
          setting,
          severity: 'info',
          message: `Browsers remember it for ${String(setting.value)} seconds alone.`,
        }
      : null
  },
})

export const hstsSubdomains = settingRule({
  id: 'django.hsts-subdomains',
  title: 'Strict-Transport-Security leaves subdomains out',
  severity: 'info',
  confidence: 'certain',
  hint: 'Set SECURE_HSTS_INCLUDE_SUBDOMAINS = True, if all subdomains speak https.',
  references: ['security.W005'],
  replaces: ['security.W005'],
  docs: {
    what: 'Finds `SECURE_HSTS_SECONDS` without `SECURE_HSTS_INCLUDE_SUBDOMAINS`.',
    why: 'A subdomain over plain HTTP can set cookies for the whole site.',
    bad: `SECURE_HSTS_SECONDS = 31536000\n${SECURED}`,
    good: `SECURE_HSTS_SECONDS = 31536000\nSECURE_HSTS_INCLUDE_SUBDOMAINS = True\n${SECURED}`,
  },
  judge(project, { sendsHsts }) {
    const setting = project.setting('SECURE_HSTS_INCLUDE_SUBDOMAINS')
    const seconds = project.setting('SECURE_HSTS_SECONDS')
    if (setting?.value !== false || !seconds?.value || sendsHsts || !hasSecurityMiddleware(project))
      return null
    return { setting, place: setting.place ?? seconds.place, message: 'Subdomains are left out.' }
  },
})

export const hstsPreload = settingRule({
  id: 'django.hsts-preload',
  title: "The site asks for no place in browsers' lists",
  severity: 'info',
  confidence: 'certain',
  hint: 'Set SECURE_HSTS_PRELOAD = True, if you want to hand the domain in at hstspreload.org; leaving takes months.',
  references: ['security.W021', 'https://hstspreload.org/'],
  replaces: ['security.W021'],
  docs: {
    what: 'Finds `SECURE_HSTS_SECONDS` of a year or more without `SECURE_HSTS_PRELOAD`.',
    why: 'The very first visit of a browser still goes over plain HTTP.',
    bad: `SECURE_HSTS_SECONDS = 31536000\n${SECURED}`,
    good: `SECURE_HSTS_SECONDS = 31536000\nSECURE_HSTS_PRELOAD = True\n${SECURED}`,
  },
  judge(project, { sendsHsts }) {
    const setting = project.setting('SECURE_HSTS_PRELOAD')
    const seconds = project.setting('SECURE_HSTS_SECONDS')
    if (setting?.value !== false || !seconds?.value || sendsHsts || !hasSecurityMiddleware(project))
      return null
    return { setting, place: setting.place ?? seconds.place, message: 'SECURE_HSTS_PRELOAD is off.' }
  },
})

export const sslRedirectOff = settingRule({
  id: 'django.ssl-redirect-off',
  title: 'Plain HTTP is answered',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set SECURE_SSL_REDIRECT = True, or let the proxy in front send everybody to https (tls.redirectFrom).',
  references: ['security.W008', 'https://docs.djangoproject.com/en/stable/ref/middleware/#ssl-redirect'],
  replaces: ['security.W008'],
  docs: {
    what: 'Finds `SECURE_SSL_REDIRECT` that is off, where the edge does not redirect.',
    why: 'Passwords and sessions go over the network for everybody on the way to read.',
    bad: `SECURE_SSL_REDIRECT = False\n${SECURED}`,
    good: `SECURE_SSL_REDIRECT = True\n${SECURED}`,
  },
  judge(project, { redirectsToHttps }) {
    const setting = project.setting('SECURE_SSL_REDIRECT')
    if (setting === null || setting.value === true || redirectsToHttps || !hasSecurityMiddleware(project))
      return null
    return { setting, message: 'SECURE_SSL_REDIRECT is off.' }
  },
})

export const proxyHeaderName = settingRule({
  id: 'django.proxy-header-name',
  title: 'SECURE_PROXY_SSL_HEADER names no header',
  severity: 'error',
  confidence: 'certain',
  hint: "Write it as WSGI has it: ('HTTP_X_FORWARDED_PROTO', 'https').",
  references: ['https://docs.djangoproject.com/en/stable/ref/settings/#secure-proxy-ssl-header'],
  docs: {
    what: 'Finds `SECURE_PROXY_SSL_HEADER` whose name is not that of WSGI’s environment, or whose shape is wrong.',
    why: 'Django never finds it: it takes https for http, and sends redirects without end, or refuses forms.',
    bad: "SECURE_PROXY_SSL_HEADER = ('X-Forwarded-Proto', 'https')\n",
    good: "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')\n",
  },
  judge(project) {
    const setting = project.setting('SECURE_PROXY_SSL_HEADER')
    const value = setting?.value
    if (value == null) return null
    if (!Array.isArray(value) || value.length !== 2)
      return { setting, message: 'It is no pair of a name and a value.' }
    const [name] = value
    return typeof name === 'string' && /^HTTP_[A-Z0-9_]+$/.test(name)
      ? null
      : { setting, message: `${String(name).slice(0, 60)} is not how WSGI calls a header.` }
  },
})
