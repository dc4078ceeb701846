import type { DjangoProject } from '@havn/checklist'
import { settingRule, type Fault } from '../setting-rule.ts'
import { CSRF_MIDDLEWARE, hasApp, middlewareOf } from '../values.ts'

const SESSIONS =
  "INSTALLED_APPS = ['django.contrib.sessions']\nMIDDLEWARE = ['django.contrib.sessions.middleware.SessionMiddleware']\n"
const CSRF = "MIDDLEWARE = ['django.middleware.csrf.CsrfViewMiddleware']\n"

function hasSessions(project: DjangoProject): boolean {
  const names = middlewareOf(project) ?? []
  return (
    hasApp(project, 'django.contrib.sessions') || names.some((name) => name.endsWith('.SessionMiddleware'))
  )
}

function hasCsrf(project: DjangoProject): boolean {
  return middlewareOf(project)?.some((name) => CSRF_MIDDLEWARE.test(name)) ?? false
}

export const sessionCookieInsecure = settingRule({
  id: 'django.session-cookie-insecure',
  title: 'The session cookie goes over plain HTTP',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set SESSION_COOKIE_SECURE = True.',
  references: ['security.W010', 'security.W011', 'security.W012'],
  replaces: ['security.W010', 'security.W011', 'security.W012'],
  docs: {
    what: 'Finds `SESSION_COOKIE_SECURE` that is off, in projects with sessions.',
    why: 'One request over plain HTTP, which any page can make a browser send, gives the session to whoever listens.',
    bad: SESSIONS,
    good: `${SESSIONS}SESSION_COOKIE_SECURE = True\n`,
  },
  judge(project) {
    const setting = project.setting('SESSION_COOKIE_SECURE')
    if (setting === null || setting.value === true || !hasSessions(project)) return null
    return { setting, message: 'SESSION_COOKIE_SECURE is off.' }
  },
})

export const sessionCookieReadable = settingRule({
  id: 'django.session-cookie-readable',
  title: 'Scripts can read the session cookie',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Leave SESSION_COOKIE_HTTPONLY as it is in Django: True.',
  references: ['security.W013', 'security.W014', 'security.W015'],
  replaces: ['security.W013', 'security.W014', 'security.W015'],
  docs: {
    what: 'Finds `SESSION_COOKIE_HTTPONLY = False`, in projects with sessions.',
    why: 'One script of somebody else’s in a page takes the sessions of all who look at it.',
    bad: `${SESSIONS}SESSION_COOKIE_HTTPONLY = False\n`,
    good: SESSIONS,
  },
  judge(project) {
    const setting = project.setting('SESSION_COOKIE_HTTPONLY')
    if (setting === null || setting.value !== false || !hasSessions(project)) return null
    return { setting, message: 'SESSION_COOKIE_HTTPONLY is off.' }
  },
})

export const cookieAnySite = settingRule({
  id: 'django.cookie-any-site',
  title: 'A cookie is sent with requests of other sites',
  severity: 'warn',
  confidence: 'certain',
  hint: "Set it to 'Lax', unless pages of other sites must show the app to users who are logged in.",
  references: ['https://docs.djangoproject.com/en/stable/ref/settings/#session-cookie-samesite'],
  docs: {
    what: 'Finds `SESSION_COOKIE_SAMESITE` or `CSRF_COOKIE_SAMESITE` that is `None`, `False` or `"None"`.',
    why: 'A page of another site can send requests that count as the user’s.',
    bad: "SESSION_COOKIE_SAMESITE = 'None'\n",
    good: "SESSION_COOKIE_SAMESITE = 'Lax'\n",
  },
  judge: (project) =>
    ['SESSION_COOKIE_SAMESITE', 'CSRF_COOKIE_SAMESITE'].flatMap((name): Fault[] => {
      const setting = project.setting(name)
      const isOpen = setting !== null && (!setting.value || setting.value === 'None')
      return isOpen
        ? [{ setting, message: `${name} is ${setting.value === 'None' ? "'None'" : 'off'}.` }]
        : []
    }),
})

export const csrfMiddlewareMissing = settingRule({
  id: 'django.csrf-middleware-missing',
  title: 'Forms of other sites are accepted',
  severity: 'warn',
  confidence: 'certain',
  hint: "Put 'django.middleware.csrf.CsrfViewMiddleware' in MIDDLEWARE.",
  references: ['security.W003', 'https://docs.djangoproject.com/en/stable/ref/csrf/'],
  replaces: ['security.W003'],
  docs: {
    what: 'Finds `MIDDLEWARE` without `CsrfViewMiddleware`.',
    why: 'A page of another site can post forms as whoever looks at it.',
    bad: "MIDDLEWARE = ['django.middleware.common.CommonMiddleware']\n",
    good: CSRF,
  },
  judge(project) {
    const names = middlewareOf(project)
    // A class of one's own that extends it is taken for it, by its name.
    if (names === null || names.some((name) => /csrf/i.test(name))) return null
    return { setting: project.setting('MIDDLEWARE'), message: 'MIDDLEWARE has no CsrfViewMiddleware.' }
  },
})

export const csrfCookieInsecure = settingRule({
  id: 'django.csrf-cookie-insecure',
  title: 'The CSRF cookie goes over plain HTTP',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set CSRF_COOKIE_SECURE = True.',
  references: ['security.W016'],
  replaces: ['security.W016'],
  docs: {
    what: 'Finds `CSRF_COOKIE_SECURE` that is off, in projects whose CSRF token is in a cookie.',
    why: 'Whoever listens to one request over plain HTTP has the token that forms are checked by.',
    bad: CSRF,
    good: `${CSRF}CSRF_COOKIE_SECURE = True\n`,
  },
  judge(project) {
    const setting = project.setting('CSRF_COOKIE_SECURE')
    if (setting === null || setting.value === true || !hasCsrf(project)) return null
    if (project.setting('CSRF_USE_SESSIONS')?.value === true) return null
    return { setting, message: 'CSRF_COOKIE_SECURE is off.' }
  },
})

export const pickledSessions = settingRule({
  id: 'django.pickled-sessions',
  title: 'Sessions are pickled',
  severity: 'error',
  confidence: 'certain',
  hint: "Take SESSION_SERIALIZER away: Django's own writes JSON.",
  references: ['https://docs.djangoproject.com/en/stable/topics/http/sessions/#session-serialization'],
  docs: {
    what: 'Finds a `SESSION_SERIALIZER` that pickles.',
    why: 'Who can write a session, or has the key that signs it, runs code in the app.',
    bad: "SESSION_SERIALIZER = 'django.contrib.sessions.serializers.PickleSerializer'\n",
    good: "SESSION_SERIALIZER = 'django.contrib.sessions.serializers.JSONSerializer'\n",
  },
  judge(project) {
    const setting = project.setting('SESSION_SERIALIZER')
    const isPickle = typeof setting?.value === 'string' && /pickle/i.test(setting.value)
    return isPickle ? { setting, message: 'SESSION_SERIALIZER pickles.' } : null
  },
})
