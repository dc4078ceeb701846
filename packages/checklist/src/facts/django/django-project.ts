import type { ChosenSettings, SourcePlace } from '@havn/plugin-api'
import type { DjangoSetting } from './django-setting.ts'

/** A message of Django's system checks: of `manage.py check --deploy`. */
export interface DjangoMessage {
  /** Such as `security.W004`; empty where its author gave none. */
  id: string
  /** As Python's logging has them: 20 info, 30 warning, 40 error, 50 critical. */
  level: number
  message: string
  hint: string | null
  /** What it is about: `shop.Order.total`. */
  object: string | null
  /** By SILENCED_SYSTEM_CHECKS. */
  isSilenced: boolean
  /** About the project's own code, not about a package's. */
  isProject: boolean
  place: SourcePlace | null
}

/** Why a project did not boot, or not to the end. */
export interface DjangoFailure {
  /** How far it came: `settings` were not read; all later ones are told beside settings that were. */
  stage: 'settings' | 'apps' | 'secret' | 'urls' | 'checks'
  /** `network`, `writing`: it wants the network, or to change files, while it loads, and may not here. */
  reason: 'raised' | 'exited' | 'network' | 'writing' | 'timeout'
  /** `ImproperlyConfigured: …`. */
  summary: string
  traceback: string
  /** A package that this Python does not have. */
  missingModule: string | null
  /** The innermost line of the project's own. */
  place: SourcePlace | null
}

/** A part of the URL configuration that rules ask about: an included app, or a view that serves files. */
export interface DjangoRoute {
  /** From the root, as Django writes it: `admin/`, `^media/(?P<path>.*)$`. */
  route: string
  /** The included app's name: `admin`, `djdt`. */
  app: string | null
  /** `django.views.static.serve`. */
  view: string | null
  place: SourcePlace | null
}

/** A Django project of the tree, and its settings in the deployment. */
export interface DjangoProject {
  /** Folder of manage.py, relative to the tree's root: `.` or `backend`. */
  directory: string
  /** The settings that the deployment uses, and who says so; null where nothing does. */
  chosen: ChosenSettings | null
  /**
   * `booted`: effective values. `static`: what their text tells. `none`: there is no Python here to read them, or
   * nothing names them.
   */
  reading: 'booted' | 'static' | 'none'
  /** Why they were not booted; null where they were. */
  notBootedBecause: string | null
  pythonVersion: string | null
  djangoVersion: string | null
  /** The settings' own file, for what stands nowhere in it. */
  settingsFile: string | null
  /** All files that settings were read from. */
  files: readonly string[]
  failure: DjangoFailure | null
  /** Variables of the environment that were missing, and had values of ours. */
  fakes: readonly string[]
  /** Null where unknown. Names as Django knows them after loading: `django.contrib.admin`. */
  apps: readonly { name: string; isProject: boolean }[] | null
  /** Null where the project did not come so far. */
  messages: readonly DjangoMessage[] | null
  /** Null where the project did not come so far. */
  urls: { file: string | null; routes: readonly DjangoRoute[]; healthPaths: readonly string[] } | null
  /** Apps of the project's own whose models have changed since their last migration; null where unknown. */
  missingMigrations: readonly { app: string; file: string; changes: readonly string[] }[] | null
  /** Calls in settings that read `.env` files. */
  environmentFileCalls: readonly { name: string; place: SourcePlace }[]
  /** Whether SILENCED_SYSTEM_CHECKS names a check of Django's. */
  isSilenced(id: string): boolean
  /**
   * A setting by name. Null where the project does not set it and Django has no such setting, and where its value is
   * not known.
   */
  setting(name: string): DjangoSetting | null
}
