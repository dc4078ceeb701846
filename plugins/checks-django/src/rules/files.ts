import { placeOfText } from '@havn/checklist'
import { settingRule, type Fault } from '../setting-rule.ts'
import { djangoVersion, hasApp, middlewareOf, valueAt } from '../values.ts'

const STATIC = "INSTALLED_APPS = ['django.contrib.staticfiles']\nSTATIC_URL = 'static/'\n"

export const staticRootMissing = settingRule({
  id: 'django.static-root-missing',
  title: 'Static files have nowhere to go',
  severity: 'warn',
  confidence: 'certain',
  hint: "Set STATIC_ROOT = BASE_DIR / 'staticfiles', and run collectstatic in each release; platform up does.",
  references: ['https://docs.djangoproject.com/en/stable/howto/static-files/deployment/'],
  docs: {
    what: 'Finds projects with `django.contrib.staticfiles` and no `STATIC_ROOT`.',
    why: 'collectstatic fails, and with `DEBUG` off nothing serves styles and scripts: the admin is bare text.',
    bad: STATIC,
    good: `${STATIC}STATIC_ROOT = '/srv/static'\n`,
  },
  judge(project) {
    const setting = project.setting('STATIC_ROOT')
    if (setting === null || setting.value || !hasApp(project, 'django.contrib.staticfiles')) return null
    const storage = valueAt(project.setting('STORAGES')?.value, 'staticfiles', 'BACKEND')
    // What lies at a service has no folder here.
    if (typeof storage === 'string' && !/^(?:django\.|whitenoise\.)/.test(storage)) return null
    const url = project.setting('STATIC_URL')
    return { setting, place: setting.place ?? url?.place ?? null, message: 'STATIC_ROOT is not set.' }
  },
})

export const storageSettingIgnored = settingRule({
  id: 'django.storage-setting-ignored',
  title: 'Django does not read this setting any more',
  severity: 'warn',
  confidence: 'certain',
  hint: "Move it to STORAGES: {'staticfiles': {'BACKEND': …}, 'default': {'BACKEND': …}}.",
  references: ['https://docs.djangoproject.com/en/5.1/releases/5.1/#features-removed-in-5-1'],
  docs: {
    what: 'Finds `STATICFILES_STORAGE` and `DEFAULT_FILE_STORAGE` under Django 5.1 and newer.',
    why: 'They are passed over in silence: files get no hash in their names, and uploads go to the local disk.',
    bad: "STATICFILES_STORAGE = 'whitenoise.storage.CompressedManifestStaticFilesStorage'\n",
    good: "STORAGES = {\n    'default': {'BACKEND': 'django.core.files.storage.FileSystemStorage'},\n    'staticfiles': {'BACKEND': 'whitenoise.storage.CompressedManifestStaticFilesStorage'},\n}\n",
  },
  judge(project) {
    const version = djangoVersion(project)
    if (version !== null && (version[0] < 5 || (version[0] === 5 && version[1] < 1))) return null
    return ['STATICFILES_STORAGE', 'DEFAULT_FILE_STORAGE'].flatMap((name): Fault[] => {
      const setting = project.setting(name)
      if (setting === null || setting.place === null) return []
      // Without a version, it is what new projects would get.
      const message =
        version === null
          ? `${name} is ignored since Django 5.1.`
          : `Django ${version.join('.')} ignores ${name}.`
      return [{ setting, message, ...(version === null && { severity: 'info' as const }) }]
    })
  },
})

const WHITENOISE = 'whitenoise.middleware.WhiteNoiseMiddleware'

export const whitenoiseLate = settingRule({
  id: 'django.whitenoise-late',
  title: 'WhiteNoise comes late',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Put WhiteNoiseMiddleware right behind SecurityMiddleware.',
  references: ['https://whitenoise.readthedocs.io/en/stable/django.html#enable-whitenoise'],
  docs: {
    what: 'Finds WhiteNoise behind other middleware than `SecurityMiddleware`.',
    why: 'Each static file goes through sessions and whatever else comes first, or is refused by it.',
    bad: `MIDDLEWARE = [\n    'django.contrib.sessions.middleware.SessionMiddleware',\n    '${WHITENOISE}',\n]\n`,
    good: `MIDDLEWARE = [\n    '${WHITENOISE}',\n    'django.contrib.sessions.middleware.SessionMiddleware',\n]\n`,
  },
  judge(project) {
    const names = middlewareOf(project) ?? []
    const before = names
      .slice(0, Math.max(names.indexOf(WHITENOISE), 0))
      .find((name) => /^django\.(?:contrib|middleware)\./.test(name) && !name.endsWith('.SecurityMiddleware'))
    const setting = project.setting('MIDDLEWARE')
    if (before === undefined || setting === null) return null
    return {
      setting,
      place: placeOfText(setting, WHITENOISE),
      message: `${before.split('.').at(-1)} comes before it.`,
    }
  },
})

export const uploadLimitOff = settingRule({
  id: 'django.upload-limit-off',
  title: 'A limit of what requests may hold is off',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set a number that the largest request you expect fits in.',
  references: ['https://docs.djangoproject.com/en/stable/ref/settings/#data-upload-max-memory-size'],
  docs: {
    what: 'Finds `DATA_UPLOAD_MAX_MEMORY_SIZE`, `_MAX_NUMBER_FIELDS` and `_MAX_NUMBER_FILES` that are `None`.',
    why: 'One request can fill the memory of a worker, or keep it busy for minutes.',
    bad: 'DATA_UPLOAD_MAX_MEMORY_SIZE = None\n',
    good: 'DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024\n',
  },
  judge: (project) =>
    ['DATA_UPLOAD_MAX_MEMORY_SIZE', 'DATA_UPLOAD_MAX_NUMBER_FIELDS', 'DATA_UPLOAD_MAX_NUMBER_FILES'].flatMap(
      (name): Fault[] => {
        const setting = project.setting(name)
        return setting !== null && setting.value === null ? [{ setting, message: `${name} is None.` }] : []
      },
    ),
})
