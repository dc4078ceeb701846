import type { DjangoProject, SettingValue } from '@havn/checklist'
import { settingRule, type Fault } from '../setting-rule.ts'
import {
  djangoVersion,
  entriesOf,
  hasSecurityMiddleware,
  middlewareOf,
  SECURITY_MIDDLEWARE,
  textsOf,
  valueAt,
} from '../values.ts'

const SECURED = `MIDDLEWARE = ['${SECURITY_MIDDLEWARE}']\n`
const FRAMES = "MIDDLEWARE = ['django.middleware.clickjacking.XFrameOptionsMiddleware']\n"
const CSP = "MIDDLEWARE = ['django.middleware.csp.ContentSecurityPolicyMiddleware']\n"
const REFERRER_POLICIES = new Set([
  'no-referrer',
  'no-referrer-when-downgrade',
  'origin',
  'origin-when-cross-origin',
  'same-origin',
  'strict-origin',
  'strict-origin-when-cross-origin',
  'unsafe-url',
])
const OPENER_POLICIES = new Set(['same-origin', 'same-origin-allow-popups', 'unsafe-none'])

export const sniffing = settingRule({
  id: 'django.content-sniffing',
  title: 'Browsers may guess what a file is',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Leave SECURE_CONTENT_TYPE_NOSNIFF as it is in Django: True.',
  references: ['security.W006'],
  replaces: ['security.W006'],
  docs: {
    what: 'Finds `SECURE_CONTENT_TYPE_NOSNIFF` that is off, where the edge does not send the header.',
    why: 'A picture that somebody uploads can run as a script of the site.',
    bad: `SECURE_CONTENT_TYPE_NOSNIFF = False\n${SECURED}`,
    good: `SECURE_CONTENT_TYPE_NOSNIFF = True\n${SECURED}`,
  },
  judge(project, { sendsNosniff }) {
    const setting = project.setting('SECURE_CONTENT_TYPE_NOSNIFF')
    if (setting?.value !== false || sendsNosniff || !hasSecurityMiddleware(project)) return null
    return { setting, message: 'SECURE_CONTENT_TYPE_NOSNIFF is off.' }
  },
})

function hasFrameMiddleware(project: DjangoProject): boolean {
  return middlewareOf(project)?.some((name) => /XFrameOptions/.test(name)) ?? false
}

export const frameOptionsMissing = settingRule({
  id: 'django.frame-options-missing',
  title: 'Other sites may frame pages',
  severity: 'warn',
  confidence: 'certain',
  hint: "Put 'django.middleware.clickjacking.XFrameOptionsMiddleware' in MIDDLEWARE.",
  references: ['security.W002', 'https://docs.djangoproject.com/en/stable/ref/clickjacking/'],
  replaces: ['security.W002'],
  docs: {
    what: 'Finds `MIDDLEWARE` without `XFrameOptionsMiddleware`, where neither the edge nor a CSP speaks of frames.',
    why: 'Another site shows the app under buttons of its own, and users click what they do not see.',
    bad: "MIDDLEWARE = ['django.middleware.common.CommonMiddleware']\n",
    good: FRAMES,
  },
  judge(project, { sendsFrameOptions }) {
    const setting = project.setting('MIDDLEWARE')
    if (setting === null || sendsFrameOptions || hasFrameMiddleware(project)) return null
    if (directives(project).some(([name]) => name === 'frame-ancestors')) return null
    return { setting, message: 'MIDDLEWARE has no XFrameOptionsMiddleware.' }
  },
})

export const frameOptionsLoose = settingRule({
  id: 'django.frame-options-loose',
  title: 'X-Frame-Options is not DENY',
  severity: 'info',
  confidence: 'certain',
  hint: "Set X_FRAME_OPTIONS = 'DENY', unless pages of the site itself frame others of it.",
  references: ['security.W019'],
  replaces: ['security.W019'],
  docs: {
    what: 'Finds `X_FRAME_OPTIONS` that is something else than `DENY`.',
    why: 'Where the site frames nothing, there is nothing to allow; values that browsers do not know allow all.',
    bad: `X_FRAME_OPTIONS = 'SAMEORIGIN'\n${FRAMES}`,
    good: `X_FRAME_OPTIONS = 'DENY'\n${FRAMES}`,
  },
  judge(project) {
    const setting = project.setting('X_FRAME_OPTIONS')
    if (setting === null || !hasFrameMiddleware(project)) return null
    const value = String(setting.value).toUpperCase()
    if (value === 'DENY') return null
    if (value === 'SAMEORIGIN') return { setting, message: 'X_FRAME_OPTIONS is SAMEORIGIN.' }
    return {
      setting,
      severity: 'warn',
      message: `Browsers do not know ${value.slice(0, 40)}: any site may frame pages.`,
    }
  },
})

export const referrerPolicy = settingRule({
  id: 'django.referrer-policy',
  title: 'The referrer policy is missing, or unknown',
  severity: 'warn',
  confidence: 'certain',
  hint: "Leave SECURE_REFERRER_POLICY as it is in Django, 'same-origin', or name another that browsers know.",
  references: ['security.W022', 'security.E023'],
  replaces: ['security.W022', 'security.E023'],
  docs: {
    what: 'Finds `SECURE_REFERRER_POLICY` that is `None`, or a value that browsers do not know.',
    why: 'Addresses of pages, with what they hold, go to whatever site a link leads to.',
    bad: `SECURE_REFERRER_POLICY = None\n${SECURED}`,
    good: `SECURE_REFERRER_POLICY = 'same-origin'\n${SECURED}`,
  },
  judge(project, { sendsReferrerPolicy }) {
    const setting = project.setting('SECURE_REFERRER_POLICY')
    if (setting === null || sendsReferrerPolicy || !hasSecurityMiddleware(project)) return null
    const { value } = setting
    if (value === null) return { setting, message: 'SECURE_REFERRER_POLICY is None.' }
    const names = typeof value === 'string' ? value.split(',').map((name) => name.trim()) : textsOf(value)
    const unknown = names.find((name) => !REFERRER_POLICIES.has(name))
    return unknown === undefined
      ? null
      : { setting, severity: 'error', message: `Browsers do not know ${unknown.slice(0, 60)}.` }
  },
})

export const openerPolicy = settingRule({
  id: 'django.opener-policy',
  title: 'The opener policy is unknown',
  severity: 'error',
  confidence: 'certain',
  hint: "Leave SECURE_CROSS_ORIGIN_OPENER_POLICY as it is in Django, 'same-origin', or name another that browsers know.",
  references: ['security.E024'],
  replaces: ['security.E024'],
  docs: {
    what: 'Finds `SECURE_CROSS_ORIGIN_OPENER_POLICY` with a value that browsers do not know.',
    why: 'Browsers heed no such header, and pages of other sites keep a hold on the windows they open.',
    bad: `SECURE_CROSS_ORIGIN_OPENER_POLICY = 'same-site'\n${SECURED}`,
    good: `SECURE_CROSS_ORIGIN_OPENER_POLICY = 'same-origin'\n${SECURED}`,
  },
  judge(project) {
    const setting = project.setting('SECURE_CROSS_ORIGIN_OPENER_POLICY')
    if (setting?.value == null || !hasSecurityMiddleware(project)) return null
    const isKnown = typeof setting.value === 'string' && OPENER_POLICIES.has(setting.value)
    return isKnown
      ? null
      : { setting, message: `Browsers do not know ${String(setting.value).slice(0, 60)}.` }
  },
})

/** Settings of Django 6 and of django-csp 4. */
const POLICIES = [
  'SECURE_CSP',
  'CONTENT_SECURITY_POLICY',
  'SECURE_CSP_REPORT_ONLY',
  'CONTENT_SECURITY_POLICY_REPORT_ONLY',
]

/** All directives that settings name, in lower case with dashes, whatever names them. */
function directives(project: DjangoProject): [name: string, sources: SettingValue, setting: string][] {
  const found = POLICIES.slice(0, 2).flatMap((name) => {
    const value = project.setting(name)?.value
    return entriesOf(valueAt(value, 'DIRECTIVES') ?? value).map(
      ([key, sources]): [string, SettingValue, string] => [key, sources, name],
    )
  })
  // django-csp before 4.
  for (const key of ['DEFAULT_SRC', 'SCRIPT_SRC', 'FRAME_ANCESTORS', 'OBJECT_SRC']) {
    const setting = project.setting(`CSP_${key}`)
    if (setting !== null) found.push([key.toLowerCase().replaceAll('_', '-'), setting.value, setting.name])
  }
  return found
}

function hasPolicyMiddleware(project: DjangoProject): boolean {
  return middlewareOf(project)?.some((name) => /csp/i.test(name)) ?? false
}

export const cspMissing = settingRule({
  id: 'django.csp-missing',
  title: 'There is no content security policy',
  severity: 'info',
  confidence: 'likely',
  hint: 'Set SECURE_CSP (Django 6) or install django-csp, first for reports alone; or let the edge send one.',
  references: ['https://docs.djangoproject.com/en/6.0/howto/csp/'],
  docs: {
    what: 'Finds projects without a middleware that sends a content security policy, where the edge sends none.',
    why: 'A script that gets into a page by a mistake in a template runs as the site’s own.',
    bad: "MIDDLEWARE = ['django.middleware.common.CommonMiddleware']\n",
    good: `${CSP}SECURE_CSP = {'default-src': ["'self'"]}\n`,
  },
  judge(project, { sendsContentSecurityPolicy }) {
    const setting = project.setting('MIDDLEWARE')
    if (setting === null || sendsContentSecurityPolicy || hasPolicyMiddleware(project)) return null
    return { setting, message: 'No middleware sends a content security policy.' }
  },
})

export const cspUnsafe = settingRule({
  id: 'django.csp-unsafe',
  title: 'The content security policy lets any script run',
  severity: 'warn',
  confidence: 'certain',
  hint: "Use nonces in place of 'unsafe-inline', and name sources in place of *.",
  references: ['https://docs.djangoproject.com/en/6.0/ref/csp/'],
  docs: {
    what: "Finds `'unsafe-inline'` without nonces or hashes, `*` and `data:` among the sources of scripts.",
    why: 'Scripts that a policy is there to stop are just those that stand in the page.',
    bad: `${CSP}SECURE_CSP = {'script-src': ["'self'", "'unsafe-inline'"]}\n`,
    good: `${CSP}SECURE_CSP = {'script-src': ["'self'", '<CSP_NONCE_SENTINEL>']}\n`,
  },
  judge(project) {
    const all = directives(project)
    const scripts =
      all.find(([name]) => name === 'script-src') ?? all.find(([name]) => name === 'default-src')
    if (scripts === undefined || !hasPolicyMiddleware(project)) return null
    const [name, sources, settingName] = scripts
    const texts = typeof sources === 'string' ? sources.split(/\s+/) : textsOf(sources)
    const isGuarded = texts.some((text) => /nonce|^'sha\d|strict-dynamic/i.test(text))
    const bad = texts.find(
      (text) => text === '*' || text === 'data:' || (text === "'unsafe-inline'" && !isGuarded),
    )
    if (bad === undefined) return null
    const setting = project.setting(settingName)
    const place = setting?.assignments.at(-1)?.strings.find(({ text }) => text === bad)?.place
    return { setting, place, message: `${name} has ${bad}.` }
  },
})

export const cspInvalid = settingRule({
  id: 'django.csp-invalid',
  title: 'The content security policy is no dict, or not sent',
  severity: 'error',
  confidence: 'certain',
  hint: 'Write a dict of directives, and put django.middleware.csp.ContentSecurityPolicyMiddleware in MIDDLEWARE.',
  references: ['security.E026', 'https://docs.djangoproject.com/en/6.0/ref/settings/#secure-csp'],
  replaces: ['security.E026'],
  docs: {
    what: 'Finds `SECURE_CSP` and `SECURE_CSP_REPORT_ONLY` that are no dict, or that nothing sends.',
    why: 'The policy that is written there protects nobody.',
    bad: "SECURE_CSP = {'default-src': [\"'self'\"]}\n",
    good: `${CSP}SECURE_CSP = {'default-src': ["'self'"]}\n`,
  },
  judge: (project) =>
    ['SECURE_CSP', 'SECURE_CSP_REPORT_ONLY'].flatMap((name): Fault[] => {
      const setting = project.setting(name)
      if (setting === null || setting.isDefault) return []
      const { value } = setting
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return [{ setting, message: `${name} is no dict.` }]
      const version = djangoVersion(project)
      if (version !== null && version[0] < 6)
        return [{ setting, message: `Django ${version.join('.')} does not know ${name}.`, severity: 'warn' }]
      if (Object.keys(value).length === 0 || hasPolicyMiddleware(project)) return []
      return [{ setting, message: `No middleware sends ${name}.`, severity: 'warn' }]
    }),
})
