import { secretOf } from '@havn/checklist'
import type { SecretMeasures } from '@havn/checklist'
import { settingRule } from '../setting-rule.ts'

/** As Django has them: shorter, or of fewer characters, can be guessed. */
const MIN_LENGTH = 50
const MIN_UNIQUE = 5

function weakness({ length, uniqueCharacters, isInsecure, isEmpty }: SecretMeasures): string | null {
  if (isEmpty) return 'is empty'
  if (isInsecure) return 'begins with django-insecure-: startproject wrote it, for development'
  if (length < MIN_LENGTH) return `has ${length} characters, and needs ${MIN_LENGTH}`
  return uniqueCharacters < MIN_UNIQUE ? `has only ${uniqueCharacters} different characters` : null
}

export const secretKeyWeak = settingRule({
  id: 'django.secret-key-weak',
  title: 'SECRET_KEY is weak',
  severity: 'error',
  confidence: 'certain',
  hint: 'Make one with django.core.management.utils.get_random_secret_key(), and give it by the environment.',
  references: ['security.W009', 'https://docs.djangoproject.com/en/stable/ref/settings/#secret-key'],
  replaces: ['security.W009'],
  docs: {
    what: 'Finds keys that are shorter than 50 characters, have fewer than 5 different ones, or came from `startproject`.',
    why: 'Who guesses the key signs sessions, password resets and whatever else the app signs, as anybody they like.',
    bad: "SECRET_KEY = 'django-insecure-2b$x!fjw-7s2'\n",
    good: "import os\n\nSECRET_KEY = os.environ['SECRET_KEY']\n",
  },
  judge(project) {
    const setting = project.setting('SECRET_KEY')
    const measures = secretOf(setting?.value)
    if (setting === null || measures === null) return null
    const why = weakness(measures)
    return why === null ? null : { setting, message: `SECRET_KEY ${why}.`, isSensitive: true }
  },
})

export const secretKeyFallbackWeak = settingRule({
  id: 'django.secret-key-fallback-weak',
  title: 'A fallback of SECRET_KEY is weak',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Take it out of SECRET_KEY_FALLBACKS as soon as what it signed has expired.',
  references: ['security.W025'],
  replaces: ['security.W025'],
  docs: {
    what: 'Finds keys in `SECRET_KEY_FALLBACKS` that would be too weak for `SECRET_KEY`.',
    why: 'What an old key signed still counts: who guesses it signs as well as with the new one.',
    bad: "SECRET_KEY_FALLBACKS = ['django-insecure-2b$x!fjw-7s2']\n",
    good: "import os\n\nSECRET_KEY_FALLBACKS = [os.environ['OLD_SECRET_KEY']] if 'OLD_SECRET_KEY' in os.environ else []\n",
  },
  judge(project) {
    const setting = project.setting('SECRET_KEY_FALLBACKS')
    const keys = Array.isArray(setting?.value) ? setting.value : []
    return keys.flatMap((key, at) => {
      const why = secretOf(key) && weakness(secretOf(key)!)
      return why ? [{ setting, message: `Fallback ${at + 1} ${why}.`, isSensitive: true }] : []
    })
  },
})

export const secretKeyInSource = settingRule({
  id: 'django.secret-key-in-source',
  title: 'SECRET_KEY stands in the source',
  severity: 'error',
  confidence: 'certain',
  hint: "Read it from the environment without a default, and make a new one: this one is in the repository's history.",
  references: ['https://docs.djangoproject.com/en/stable/howto/deployment/checklist/#secret-key'],
  docs: {
    what: 'Finds a `SECRET_KEY` that the text of the settings holds, as its value or as the default of a variable.',
    why: 'Everybody who can read the repository, its forks or an image can sign as the app.',
    bad: "SECRET_KEY = 'p9#v2k!x7qz@w4e$r6t&y1u*i3o5a8s0d-f+g=hjklbnmcQW2E'\n",
    good: "import os\n\nSECRET_KEY = os.environ['SECRET_KEY']\n",
  },
  judge(project) {
    const setting = project.setting('SECRET_KEY')
    const measures = secretOf(setting?.value)
    // Of weak keys, the rule about these tells.
    if (setting === null || measures === null || weakness(measures) !== null) return null
    const last = setting.assignments.findLast(({ place }) => place === setting.place)
    if (last?.origin === 'literal')
      return { setting, message: 'SECRET_KEY is written in the settings.', isSensitive: true }
    if (last?.origin !== 'environment' || !last.hasTextDefault) return null
    return {
      setting,
      message: 'A key is written in the settings, for where the variable is missing.',
      isSensitive: true,
    }
  },
})
