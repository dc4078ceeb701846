import { defineErrors } from '@havn/model/errors'

interface SettingsSeen {
  /** `mysite.settings`. */
  settings: string
}

/** What goes wrong when a Django project boots. The project's own traceback is each error's detail. */
export const errors = defineErrors({
  HAVN_ERR_DJANGO_SETTINGS_UNKNOWN: {
    kind: 'user',
    message: (seen: { looked: readonly string[] }) =>
      `No settings module is named in ${seen.looked.join(', ')}, and DJANGO_SETTINGS_MODULE is not set.`,
    hint: 'Set DJANGO_SETTINGS_MODULE, in the environment or under app.env in the config.',
  },
  HAVN_ERR_DJANGO_MISSING: {
    kind: 'user',
    message: (seen: { interpreter: string }) => `Django cannot be imported by ${seen.interpreter}.`,
    hint: 'Name Django in requirements.txt or pyproject.toml, or an interpreter that has it with --python.',
  },
  HAVN_ERR_DJANGO_SETTINGS: {
    kind: 'user',
    message: (seen: SettingsSeen & { reason: string }) => `${seen.settings} does not load: ${seen.reason}`,
    hint: 'Correct what the traceback below ends with; `python manage.py check` shows the same.',
  },
  HAVN_ERR_DJANGO_MODULE: {
    kind: 'user',
    message: (seen: SettingsSeen & { module: string }) =>
      `${seen.settings} does not load: there is no module ${seen.module}.`,
    hint: (seen: { interpreter: string; module: string }) =>
      `Name the package that brings ${seen.module} among the requirements (the interpreter is ${seen.interpreter}), or correct the import below.`,
  },
  HAVN_ERR_DJANGO_VARIABLE: {
    kind: 'user',
    message: (seen: SettingsSeen & { variable: string }) =>
      `${seen.settings} needs ${seen.variable}, and the environment has none.`,
    hint: (seen: SettingsSeen & { variable: string; otherSettings?: string }) =>
      `Set ${seen.variable} in the environment; a secret does not belong in the config.` +
      (seen.otherSettings
        ? ` Or choose the settings that manage.py names: DJANGO_SETTINGS_MODULE=${seen.otherSettings}`
        : ''),
  },
  HAVN_ERR_DJANGO_SETTINGS_EXIT: {
    kind: 'user',
    message: (seen: SettingsSeen & { status: string }) =>
      `${seen.settings} ended Python while it loaded: ${seen.status}.`,
    hint: 'Settings must load to their end: the lines below say where Python was ended, or what it said last.',
  },
  HAVN_ERR_DJANGO_SETTINGS_TIMEOUT: {
    kind: 'user',
    message: (seen: SettingsSeen & { seconds: number }) =>
      `${seen.settings} did not load within ${seen.seconds} seconds.`,
    hint: 'The lines below say where it stood: often it waits for a server that does not answer.',
  },
  HAVN_ERR_DJANGO_ENTRY: {
    kind: 'user',
    message: (seen: { target: string; reason: string }) => `${seen.target} does not load: ${seen.reason}`,
    hint: 'Correct what the traceback below ends with, or name another entry with app.entry in the config.',
  },
})
