import { defineRule, djangoProjects, djangoSettings } from '@havn/checklist'
import type { DjangoProject } from '@havn/checklist'
import type { Severity, SourcePlace } from '@havn/plugin-api'
import { isForDevelopment, placeOfSettings, settingRule, type Fault } from '../setting-rule.ts'

const docs = { language: 'python' }
const MAX_TRACEBACK_LINES = 12

export const doesNotBoot = defineRule({
  id: 'django.does-not-boot',
  title: 'The project does not start',
  severity: 'error',
  confidence: 'certain',
  hint: 'Mend the line that the traceback ends at; python manage.py check shows the same.',
  references: ['https://docs.djangoproject.com/en/stable/ref/django-admin/#check'],
  docs: {
    ...docs,
    what: 'Finds projects whose settings, apps or URLs fail as they load, and shows where.',
    why: 'No worker starts, and the old release is gone.',
    bad: "ROOT_URLCONF = 'shop.urls'\nSECRET_KEY = KEY_OF_NOBODY\n",
    good: "import os\n\nROOT_URLCONF = 'shop.urls'\nSECRET_KEY = os.environ['SECRET_KEY']\n",
  },
  needs: { projects: djangoProjects },
  check({ facts, report }) {
    for (const project of facts.projects) {
      const { failure } = project
      if (failure === null || isOfThisMachine(project)) continue
      const place = failure.place ?? placeOfSettings(project)
      report({
        message: `${told(project)}: ${failure.summary}${lastLines(failure.traceback)}`,
        ...resourceOf(project),
        ...(place && { place }),
      })
    }
  },
})

/** What fails for what is not installed, reached or named here, and need not in the deployment. */
function isOfThisMachine({ failure, chosen }: DjangoProject): boolean {
  const isUnnamed = chosen?.module === null && /DJANGO_SETTINGS_MODULE/.test(failure?.summary ?? '')
  const isHindered = failure?.reason === 'network' || failure?.reason === 'writing'
  return isUnnamed || failure?.missingModule != null || isHindered
}

function told({ chosen, failure }: DjangoProject): string {
  const name = chosen?.module ?? 'The settings'
  const parts: Record<string, string> = {
    settings: `${name} does not load`,
    apps: 'An installed app does not load',
    secret: `${name} is not complete`,
    urls: 'The URL configuration does not load',
    checks: "Django's checks do not end",
  }
  return parts[failure!.stage]!
}

function lastLines(traceback: string): string {
  const lines = traceback.split('\n').filter((line) => line.trim() !== '')
  return lines.length === 0 ? '' : `\n${lines.slice(-MAX_TRACEBACK_LINES).join('\n')}`
}

function resourceOf({ chosen }: DjangoProject): { resource?: string } {
  return chosen?.module ? { resource: chosen.module } : {}
}

export const notBooted = defineRule({
  id: 'django.not-booted',
  title: 'Settings were not booted',
  severity: 'info',
  confidence: 'certain',
  hint: 'Install the requirements, or name an interpreter that has them: app.python in the configuration.',
  references: ['https://docs.djangoproject.com/en/stable/topics/settings/'],
  docs: {
    ...docs,
    what: 'Says that settings could not be booted here, and what was judged in their place: their text, or nothing.',
    why: 'Values that the text does not tell were not checked.',
    bad: 'import a_package_that_is_not_installed_here\n',
    good: 'import os\n',
  },
  needs: { projects: djangoProjects },
  check({ facts, report }) {
    for (const project of facts.projects) {
      const { reading, notBootedBecause, failure } = project
      const hasStopped = failure !== null && isOfThisMachine(project)
      if (reading === 'booted' ? !hasStopped : failure !== null && !hasStopped) continue
      const because =
        reading === 'booted' ? `it stopped at: ${failure!.summary}` : (notBootedBecause ?? 'they do not boot')
      const what = {
        booted: 'Not all of the project was loaded',
        static: 'The settings were read, not booted',
        none: 'The settings were not read',
      }[reading]
      const place = failure?.place ?? placeOfSettings(project) ?? placeOfManage(project)
      report({ message: `${what}: ${because}.`, ...resourceOf(project), ...(place && { place }) })
    }
  },
})

function placeOfManage({ chosen }: DjangoProject): SourcePlace | null {
  if (chosen?.file === undefined) return null
  const line = chosen.line ?? 1
  return { file: chosen.file, line, column: 1, endLine: line, endColumn: 1 }
}

export const developmentSettings = defineRule({
  id: 'django.development-settings',
  title: 'The deployment uses settings for development',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Name those for production: app.env.DJANGO_SETTINGS_MODULE in the configuration, or in wsgi.py and asgi.py.',
  references: ['https://docs.djangoproject.com/en/stable/topics/settings/#designating-the-settings'],
  docs: {
    ...docs,
    what: 'Finds projects whose own files name settings such as `shop.settings.dev`, where the deployment names no others.',
    why: 'Whoever forgets the variable once is served with `DEBUG` on.',
    bad: "import os\n\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings.dev')\n",
    good: "import os\n\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n",
  },
  needs: { projects: djangoProjects },
  check({ facts, report }) {
    for (const project of facts.projects) {
      const place = placeOfManage(project)
      if (isForDevelopment(project) && place !== null)
        report({ message: `${place.file} names ${project.chosen!.module!}, and nothing else does.`, place })
    }
  },
})

export const missingMigrations = settingRule({
  id: 'django.migrations-missing',
  title: 'Models have changed, and no migration says so',
  severity: 'error',
  confidence: 'certain',
  hint: 'Run python manage.py makemigrations, look at what it writes, and commit it.',
  references: ['https://docs.djangoproject.com/en/stable/ref/django-admin/#cmdoption-makemigrations-check'],
  docs: {
    what: 'Finds apps of the project whose models are not as their migrations leave them.',
    why: 'The release asks for columns that the database does not have: 500 on each page that does.',
    bad: 'from django.db import models\n\n\nclass Order(models.Model):\n    total = models.IntegerField()\n    paid = models.BooleanField()\n',
    good: 'from django.db import models\n\n\nclass Order(models.Model):\n    total = models.IntegerField()\n',
  },
  judge: (project) =>
    (project.missingMigrations ?? []).map(({ app, file, changes }) => ({
      place: { file, line: 1, column: 1, endLine: 1, endColumn: 1 },
      message: `${app} has no migration for: ${changes.slice(0, 3).join('; ')}${changes.length > 3 ? `; ${changes.length - 3} more` : ''}.`,
    })),
})

const ROUTES = 'from django.contrib import admin\nfrom django.urls import path\n\n'

export const adminPath = settingRule({
  id: 'django.admin-path',
  title: 'The admin is where everybody looks for it',
  severity: 'info',
  confidence: 'certain',
  hint: 'Give it another path, or let only your network reach it; and log in with a second factor.',
  references: ['https://docs.djangoproject.com/en/stable/ref/contrib/admin/'],
  docs: {
    what: 'Finds the admin at `/admin/`.',
    why: 'Bots try passwords there from the first hour on.',
    bad: `${ROUTES}urlpatterns = [path('admin/', admin.site.urls)]\n`,
    good: `${ROUTES}urlpatterns = [path('harbour-office/', admin.site.urls)]\n`,
  },
  judge: (project) =>
    (project.urls?.routes ?? [])
      .filter(({ app, route }) => app === 'admin' && /^\^?admin\/$/.test(route))
      .map(({ place }) => ({ place, message: 'The admin is at /admin/.' })),
})

export const filesByDjango = settingRule({
  id: 'django.files-served-by-django',
  title: 'Django serves files itself',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Let the edge serve them (STATIC_ROOT and MEDIA_ROOT are found), nginx, or WhiteNoise for static files.',
  references: [
    'https://docs.djangoproject.com/en/stable/howto/static-files/#serving-files-uploaded-by-a-user-during-development',
  ],
  docs: {
    what: 'Finds `django.views.static.serve` among the URLs with `DEBUG` off.',
    why: 'A worker is busy for as long as a client takes, and what users uploaded runs under the site’s name.',
    bad: "from django.urls import re_path\nfrom django.views.static import serve\n\nurlpatterns = [re_path(r'^media/(?P<path>.*)$', serve, {'document_root': '/srv/media'})]\n",
    good: "from django.conf.urls.static import static\n\nurlpatterns = static('/media/', document_root='/srv/media')\n",
  },
  judge(project): Fault[] {
    // static() and staticfiles put them there for DEBUG alone.
    if (project.setting('DEBUG')?.value !== false) return []
    return (project.urls?.routes ?? [])
      .filter(({ view }) => view !== null)
      .map(({ route, place }) => ({ place, message: `${route.slice(0, 80)} is served by a view of Django.` }))
  },
})

const LEVELS: readonly [level: number, severity: Severity][] = [
  [40, 'error'],
  [30, 'warn'],
]
/** @param replaced ids that other rules report. */
export function systemCheckRule(replaced: Iterable<string>) {
  const said = new Set(replaced)
  return defineRule({
    id: 'django.system-check',
    title: "Django's own check finds something",
    severity: 'warn',
    confidence: 'certain',
    hint: 'See the id in the list of system checks.',
    references: ['https://docs.djangoproject.com/en/stable/ref/checks/'],
    docs: {
      ...docs,
      what: 'Passes on what `manage.py check --deploy` finds, with its id, where no rule of this pack finds the same: Django’s checks, those of installed packages about the project, and the project’s own.',
      why: 'Whoever wrote the check knows.',
      bad: 'from django.db import models\n\n\nclass Order(models.Model):\n    name = models.CharField()\n    state = models.CharField(max_length=1, choices=[("open", "Open")])\n',
      good: 'from django.db import models\n\n\nclass Order(models.Model):\n    name = models.CharField(max_length=80)\n',
    },
    needs: { settings: djangoSettings },
    check({ facts, report }) {
      for (const project of facts.settings)
        for (const { id, level, message, hint, object, isSilenced, isProject, place } of project.messages ??
          []) {
          if (isSilenced || said.has(id) || level < 20) continue
          const severity = LEVELS.find(([least]) => level >= least)?.[1] ?? 'info'
          const at = place ?? placeOfSettings(project)
          report({
            message: `${id === '' ? '' : `${id}: `}${message}${object === null ? '' : ` (${object})`}`,
            // What a package says of itself is not the project's to mend.
            severity: isProject ? severity : 'info',
            ...(hint && { hint }),
            ...(object !== null ? { resource: object } : resourceOf(project)),
            ...(at && { place: at }),
          })
        }
    },
  })
}
