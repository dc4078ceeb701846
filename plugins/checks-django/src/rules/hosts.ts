import { placeOfText } from '@havn/checklist'
import { settingRule, type Fault } from '../setting-rule.ts'
import { textsOf } from '../values.ts'

export const debugOn = settingRule({
  id: 'django.debug-on',
  title: 'DEBUG is on',
  severity: 'error',
  confidence: 'certain',
  hint: 'Set DEBUG = False, or read it from a variable whose absence means off.',
  references: ['security.W018', 'https://docs.djangoproject.com/en/stable/howto/deployment/checklist/#debug'],
  replaces: ['security.W018'],
  docs: {
    what: 'Finds `DEBUG` that is on in the settings that the deployment uses.',
    why: 'Errors show source, settings and SQL to everybody, and each request keeps all its queries in memory.',
    bad: 'DEBUG = True\n',
    good: 'DEBUG = False\n',
  },
  judge(project) {
    const setting = project.setting('DEBUG')
    if (!isOn(setting?.value)) return null
    const variable = setting?.decidedBy[0]
    return {
      setting,
      message: 'DEBUG is on.',
      ...(variable && {
        hint: `Set ${variable.name} to what the settings take for false, in ${variable.place.file}.`,
      }),
    }
  },
})

/** Text such as "False" is true, to Python. */
function isOn(value: unknown): boolean {
  return (
    value === true ||
    (typeof value === 'number' && value !== 0) ||
    (typeof value === 'string' && value !== '')
  )
}

export const debugPropagates = settingRule({
  id: 'django.debug-propagate-exceptions',
  title: 'Exceptions leave Django',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set DEBUG_PROPAGATE_EXCEPTIONS = False, which is what Django does unasked.',
  references: ['https://docs.djangoproject.com/en/stable/ref/settings/#debug-propagate-exceptions'],
  docs: {
    what: 'Finds `DEBUG_PROPAGATE_EXCEPTIONS` that is on.',
    why: 'Errors go past Django’s handlers to the server: no page for the visitor, no mail, no log of Django’s.',
    bad: 'DEBUG_PROPAGATE_EXCEPTIONS = True\n',
    good: 'DEBUG_PROPAGATE_EXCEPTIONS = False\n',
  },
  judge(project) {
    const setting = project.setting('DEBUG_PROPAGATE_EXCEPTIONS')
    return setting?.value === true ? { setting, message: 'DEBUG_PROPAGATE_EXCEPTIONS is on.' } : null
  },
})

export const allowedHostsEmpty = settingRule({
  id: 'django.allowed-hosts-empty',
  title: 'ALLOWED_HOSTS is empty',
  severity: 'error',
  confidence: 'certain',
  hint: "Name the site's hosts: ALLOWED_HOSTS = ['shop.example.com'].",
  references: ['security.W020', 'https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts'],
  replaces: ['security.W020'],
  docs: {
    what: 'Finds an empty `ALLOWED_HOSTS`.',
    why: 'With `DEBUG` off, Django answers every request with 400.',
    bad: 'ALLOWED_HOSTS = []\n',
    good: "ALLOWED_HOSTS = ['shop.example.com']\n",
  },
  judge(project) {
    const setting = project.setting('ALLOWED_HOSTS')
    const isEmpty = Array.isArray(setting?.value) && setting.value.length === 0
    if (!isEmpty) return null
    // A variable that nobody sets here may be set there; where it is not, Django refuses all.
    const severity = setting.undecidedBy.length > 0 ? 'info' : 'error'
    return { setting, severity, message: 'ALLOWED_HOSTS is empty.' }
  },
})

export const allowedHostsAny = settingRule({
  id: 'django.allowed-hosts-any',
  title: 'Any host is allowed',
  severity: 'warn',
  confidence: 'certain',
  hint: "Name the site's hosts in place of '*'.",
  references: ['https://docs.djangoproject.com/en/stable/topics/security/#host-headers-virtual-hosting'],
  docs: {
    what: "Finds `'*'` in `ALLOWED_HOSTS`.",
    why: 'A request can name any host, and links in mails and cached pages then lead there: password resets, for one.',
    bad: "ALLOWED_HOSTS = ['*']\n",
    good: "ALLOWED_HOSTS = ['shop.example.com', '.example.org']\n",
  },
  judge(project) {
    const setting = project.setting('ALLOWED_HOSTS')
    if (!textsOf(setting?.value).includes('*')) return null
    return { setting, place: placeOfText(setting!, '*'), message: "ALLOWED_HOSTS has '*'." }
  },
})

export const forwardedHost = settingRule({
  id: 'django.forwarded-host-trusted',
  title: 'X-Forwarded-Host is believed',
  severity: 'info',
  confidence: 'certain',
  hint: 'Keep it only where a proxy in front sets the header anew for each request, whatever came.',
  references: ['https://docs.djangoproject.com/en/stable/ref/settings/#use-x-forwarded-host'],
  docs: {
    what: 'Finds `USE_X_FORWARDED_HOST` or `USE_X_FORWARDED_PORT` that is on.',
    why: 'Where the proxy passes on what clients send, they choose the host in links that the app makes.',
    bad: 'USE_X_FORWARDED_HOST = True\n',
    good: 'USE_X_FORWARDED_HOST = False\n',
  },
  judge: (project) =>
    ['USE_X_FORWARDED_HOST', 'USE_X_FORWARDED_PORT'].flatMap((name): Fault[] => {
      const setting = project.setting(name)
      return setting?.value === true ? [{ setting, message: `${name} is on.` }] : []
    }),
})

export const csrfOriginScheme = settingRule({
  id: 'django.csrf-origin-scheme',
  title: 'A trusted origin has no scheme',
  severity: 'error',
  confidence: 'certain',
  hint: "Write it with its scheme: 'https://shop.example.com'.",
  references: ['4_0.E001', 'https://docs.djangoproject.com/en/stable/ref/settings/#csrf-trusted-origins'],
  replaces: ['4_0.E001'],
  docs: {
    what: 'Finds entries of `CSRF_TRUSTED_ORIGINS` that do not begin with a scheme.',
    why: 'Django since 4.0 does not start with them.',
    bad: "CSRF_TRUSTED_ORIGINS = ['shop.example.com']\n",
    good: "CSRF_TRUSTED_ORIGINS = ['https://shop.example.com']\n",
  },
  judge(project) {
    const setting = project.setting('CSRF_TRUSTED_ORIGINS')
    return textsOf(setting?.value)
      .filter((origin) => !origin.includes('://'))
      .map((origin) => ({
        setting,
        place: placeOfText(setting!, origin),
        message: `${origin} has no scheme.`,
      }))
  },
})

export const csrfOriginPlain = settingRule({
  id: 'django.csrf-origin-plain',
  title: 'An origin is trusted over plain HTTP',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Trust the origin over https alone.',
  references: ['https://docs.djangoproject.com/en/stable/ref/settings/#csrf-trusted-origins'],
  docs: {
    what: 'Finds `http://` in `CSRF_TRUSTED_ORIGINS`, but for the machine itself.',
    why: 'Whoever sits on the way can answer as that origin, and post to the site as its users.',
    bad: "CSRF_TRUSTED_ORIGINS = ['http://shop.example.com']\n",
    good: "CSRF_TRUSTED_ORIGINS = ['https://shop.example.com', 'http://localhost:8000']\n",
  },
  judge(project) {
    const setting = project.setting('CSRF_TRUSTED_ORIGINS')
    return textsOf(setting?.value)
      .filter((origin) => /^http:\/\/(?!localhost\b|127\.|\[::1\]|\d+\.\d+\.\d+\.\d+)/.test(origin))
      .map((origin) => ({ setting, place: placeOfText(setting!, origin), message: `${origin} is trusted.` }))
  },
})

export const corsAnyOrigin = settingRule({
  id: 'django.cors-any-origin',
  title: 'Pages of any site may read answers',
  severity: 'warn',
  confidence: 'certain',
  hint: "Name the origins that need it: CORS_ALLOWED_ORIGINS = ['https://app.example.com'].",
  references: ['https://github.com/adamchainz/django-cors-headers#cors_allow_all_origins-bool'],
  docs: {
    what: 'Finds `CORS_ALLOW_ALL_ORIGINS`; it is an error where `CORS_ALLOW_CREDENTIALS` is on as well.',
    why: 'With credentials, any page that a user visits reads what the app would show that user.',
    bad: 'CORS_ALLOW_ALL_ORIGINS = True\n',
    good: "CORS_ALLOWED_ORIGINS = ['https://app.example.com']\n",
  },
  judge(project) {
    const setting = project.setting('CORS_ALLOW_ALL_ORIGINS') ?? project.setting('CORS_ORIGIN_ALLOW_ALL')
    if (setting?.value !== true) return null
    const withCredentials = project.setting('CORS_ALLOW_CREDENTIALS')?.value === true
    const message = withCredentials ? 'Any origin may send requests with cookies.' : 'Any origin is allowed.'
    return { setting, message, ...(withCredentials && { severity: 'error' as const }) }
  },
})
