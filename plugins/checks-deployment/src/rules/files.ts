import { defineRule, djangoSettings, instructionsOfStage } from '@havn/checklist'
import type { DjangoProject, DjangoSetting, DockerStage } from '@havn/checklist'
import { isAbsolute, join } from 'node:path/posix'
import { collecting } from '../collecting-fact.ts'
import { besideFile, restOf, settingInContainer } from '../container-paths.ts'
import { knownSetting, listOf, onlyProject, serving, valueAt } from '../django.ts'
import { servedFolders } from '../served-folders-fact.ts'
import type { ServedFolder } from '../served-folders-fact.ts'
import { treeRoot } from '../tree-root-fact.ts'
import type { Mount, Workload } from '../workload.ts'
import { workloads } from '../workloads-fact.ts'

const isCollecting = (text: string) => /^(?!\s*#).*collectstatic/m.test(text)

/** Whether what a workload starts collects static files. */
function startsCollecting({ words, scripts }: Workload): boolean {
  return words.some(({ text }) => isCollecting(text)) || scripts.some(({ text }) => isCollecting(text))
}

/** Whether a folder that nginx serves is what a setting's URL leads to. */
function isServedAt({ prefix }: ServedFolder, url: DjangoSetting | null): boolean {
  const plain = (text: string) => text.replace(/^\/+|\/+$/g, '')
  return typeof url?.value === 'string' && plain(url.value) !== '' && plain(url.value) === plain(prefix)
}

export const staticNotCollected = defineRule({
  id: 'deployment.static-not-collected',
  title: 'Static files are never collected',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Add RUN python manage.py collectstatic --noinput to the image.',
  references: [
    'https://docs.djangoproject.com/en/5.2/howto/static-files/deployment/',
    'https://whitenoise.readthedocs.io/en/stable/django.html',
  ],
  docs: {
    what: 'Finds an image that starts Django with WhiteNoise, or behind an nginx that serves STATIC_URL, where neither the Dockerfile, nor what it starts, nor a script of the project runs `collectstatic`. Where people are told to run it themselves, it is a guess.',
    why: 'STATIC_ROOT is empty: pages come without styles, and hashed names end in errors.',
    bad: 'FROM python:3.13-slim\nCOPY . /app\nCMD ["gunicorn", "shop.wsgi"]\n',
    good: 'FROM python:3.13-slim\nCOPY . /app\nRUN python manage.py collectstatic --noinput\nCMD ["gunicorn", "shop.wsgi"]\n',
    language: 'dockerfile',
  },
  needs: { workloads, djangoSettings, collecting },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    const root = project?.setting('STATIC_ROOT') ?? null
    if (project === null || root === null || root.isDefault || facts.collecting.files.length > 0) return
    const debug = knownSetting(project, 'DEBUG')
    const middleware = listOf(project.setting('MIDDLEWARE')) ?? []
    const hasWhiteNoise = middleware.some((each) => /whitenoise/i.test(each))
    const isByFinders = valueAt(project.setting('WHITENOISE_USE_FINDERS')) === true
    const isServed = facts.collecting.served.some((each) => isServedAt(each, project.setting('STATIC_URL')))
    if (!isServed && (!hasWhiteNoise || isByFinders)) return
    for (const workload of serving(facts.workloads, project)) {
      const dockerfile = workload.commands[0]?.origin.dockerfile
      if (workload.kind !== 'image' || dockerfile == null) continue
      // With DEBUG it serves them from where they lie.
      if (workload.commands.every(({ server }) => server === 'runserver') && debug?.value !== false) continue
      // A script that the image runs while it is built.
      const isBuiltBy = dockerfile.stages.some(({ instructions }) =>
        instructions.some(
          ({ keyword, rest }) => keyword === 'RUN' && /\.sh\b|make |just |task /.test(rest.text),
        ),
      )
      if (isBuiltBy) continue
      report({
        message: 'Nothing in it collects static files.',
        place: workload.commands[0]!.place,
        ...(workload.resource !== null && { resource: workload.resource }),
        ...(root.place !== null && { related: [{ message: 'where they would go', place: root.place }] }),
        ...(facts.collecting.isDocumented && { confidence: 'possible' as const }),
      })
    }
  },
})

/** What of the settings a folder that nginx serves is. */
const SERVED = [
  { url: 'STATIC_URL', root: 'STATIC_ROOT', verb: 'collects static files' },
  { url: 'MEDIA_URL', root: 'MEDIA_ROOT', verb: 'keeps uploads' },
] as const

export const servedElsewhere = defineRule({
  id: 'deployment.files-served-elsewhere',
  title: 'nginx serves another folder than Django fills',
  severity: 'error',
  confidence: 'likely',
  hint: 'Mount one volume into both: at STATIC_ROOT (or MEDIA_ROOT) of the app, and where alias or root of nginx leads.',
  references: [
    'https://docs.djangoproject.com/en/5.2/howto/static-files/deployment/',
    'https://nginx.org/en/docs/http/ngx_http_core_module.html#alias',
  ],
  docs: {
    what: 'Follows STATIC_ROOT and MEDIA_ROOT through the volumes of compose to what nginx sends at STATIC_URL and MEDIA_URL, and finds folders that are not the same.',
    why: 'All pages come without styles, and uploads that were stored well are not found.',
    bad: '# settings.py: STATIC_ROOT = "/app/staticfiles"; nginx.conf: alias /srv/static/\nservices:\n  web:\n    image: shop\n    volumes: ["static:/app/static"]\n  nginx:\n    image: nginx\n    volumes: ["static:/srv/static"]\n',
    good: '# settings.py: STATIC_ROOT = "/app/staticfiles"; nginx.conf: alias /srv/static/\nservices:\n  web:\n    image: shop\n    volumes: ["static:/app/staticfiles"]\n  nginx:\n    image: nginx\n    volumes: ["static:/srv/static"]\n',
    language: 'yaml',
  },
  needs: { workloads, djangoSettings, servedFolders, treeRoot },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    if (project === null) return
    const home = { folder: project.directory, root: facts.treeRoot }
    for (const { url, root: name, verb } of SERVED)
      for (const served of facts.servedFolders) {
        const root = knownSetting(project, name)
        if (root === null || root.isDefault || !isServedAt(served, project.setting(url))) continue
        for (const { service: proxy, stage } of served.services) {
          const apps = serving(facts.workloads, project).filter(
            ({ made: { service } }) => service?.file === proxy.file && service !== proxy,
          )
          if (apps.length === 0 || proxy.setting('volumes_from') !== null) continue
          const { file } = proxy.file.source
          const shown = storeOf(served.folder, proxy.mounts, file)
          if (shown === null && stage !== null && isFilled(stage, served.folder)) continue
          const filled = apps.map((app) => {
            const folder = settingInContainer(root, home, app.made, app.environment)
            return { app, folder, store: folder === null ? null : storeOf(folder, app.mounts, file) }
          })
          // Others may fill what does not belong to this project alone.
          if (filled.some(({ folder, store }) => folder === null || (shown !== null && store === shown)))
            continue
          const [{ app, folder, store }] = filled as [(typeof filled)[0]]
          const isOfHost = shown?.startsWith('.') === true && store === null
          report({
            message: `nginx sends ${served.folder}${shown === null ? ', where nothing is mounted' : ` of ${shown}`}; Django ${verb} in ${folder}${store === null ? '' : ` of ${store}`}.`,
            place: served.place,
            resource: proxy.resource,
            // What lies in a folder of the machine, somebody else may have put there.
            ...(isOfHost && { confidence: 'possible' as const }),
            related: [
              { message: 'the app', place: app.place },
              ...(root.place === null ? [] : [{ message: 'the setting', place: root.place }]),
            ],
          })
        }
      }
  },
})

/** What a folder of a container lies in: a volume or a folder of the machine, and where; null for the container itself. */
function storeOf(
  folder: string,
  mounts: readonly Pick<Mount, 'target' | 'source'>[],
  file: string,
): string | null {
  const over = mounts
    .filter(({ target }) => isAbsolute(target) && restOf(folder, target) !== null)
    .sort((one, other) => other.target.length - one.target.length)[0]
  if (over?.source == null) return null
  const source = besideFile(file, over.source)
  return join(source === null ? over.source : `./${source}`, restOf(folder, over.target)!)
    .replace(/^(?=[^/])/, source === null ? '' : './')
    .replace(/\/+$/, '')
}

/** Whether instructions of an image put something into a folder. */
function isFilled(stage: DockerStage, folder: string): boolean {
  return instructionsOfStage(stage).some(({ keyword, rest, words }) => {
    if (keyword === 'RUN') return rest.text.includes(folder)
    const target = words.at(-1)?.text
    if (keyword !== 'COPY' && keyword !== 'ADD') return false
    return (
      target === undefined ||
      !isAbsolute(target) ||
      target.includes('$') ||
      restOf(folder, target) !== null ||
      restOf(target, folder) !== null
    )
  })
}

export const staticHidden = defineRule({
  id: 'deployment.static-hidden-by-mount',
  title: 'A mount lies over the static files of the image',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Run collectstatic when the container starts, or in a job before; or leave the mount out and let WhiteNoise serve them.',
  references: [
    'https://docs.docker.com/engine/storage/volumes/#mounting-a-volume-over-existing-data',
    'https://docs.docker.com/engine/storage/bind-mounts/#mounting-a-bind-mount-over-existing-data',
  ],
  docs: {
    what: 'Finds images that collect static files while they are built, into a folder over which a service or a container mounts something, where nothing that starts collects them again.',
    why: 'A volume of Docker keeps the files of the first release for ever; folders of the machine, and volumes of Kubernetes, begin empty.',
    bad: '# Dockerfile: RUN python manage.py collectstatic --noinput; STATIC_ROOT is /app/static\nservices:\n  web:\n    build: .\n    volumes: ["static:/app/static"]\n',
    good: '# Dockerfile: RUN python manage.py collectstatic --noinput; STATIC_ROOT is /app/static\nservices:\n  web:\n    build: .\n    volumes: ["media:/app/media"]\n',
    language: 'yaml',
  },
  needs: { workloads, djangoSettings, collecting, treeRoot },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    const root = project === null ? null : knownSetting(project, 'STATIC_ROOT')
    if (project === null || root === null || root.isDefault) return
    const home = { folder: project.directory, root: facts.treeRoot }
    const apps = serving(facts.workloads, project)
    if (facts.workloads.some(startsCollecting)) return
    for (const app of apps) {
      const built = instructionsOfStage(app.made.stage).find(
        ({ keyword, rest }) => keyword === 'RUN' && isCollecting(rest.text),
      )
      const folder = settingInContainer(root, home, app.made, app.environment)
      if (app.kind === 'image' || built === undefined || folder === null || preparesVolumes(app)) continue
      const over = app.mounts.find(
        ({ target, source }) => source !== null && isAbsolute(target) && restOf(folder, target) !== null,
      )
      if (over === undefined || isSource(over, app.file, project)) continue
      const isVolume = app.kind === 'compose' && !/^[./~\\$]/.test(over.source!)
      report({
        message: isVolume
          ? `${over.source} keeps what the first release collected in ${folder}.`
          : `${over.source} hides what the image collected in ${folder}.`,
        place: over.place,
        ...(app.resource !== null && { resource: app.resource }),
        related: [{ message: 'collected here', place: built.place }],
        // A script beside the deployment may collect them again.
        ...(facts.collecting.files.some((file) => file !== built.place.file) && {
          confidence: 'possible' as const,
        }),
      })
    }
  },
})

/** A folder of the project's own code is mounted for those who edit it. */
function isSource({ source }: Mount, file: string, { settingsFile }: DjangoProject): boolean {
  const folder = besideFile(file, source!)
  return folder !== null && settingsFile !== null && restOf(settingsFile, folder) !== null
}

/** An init container may copy the files into the volume. */
function preparesVolumes({ commands }: Workload): boolean {
  return (commands[0]?.origin.pod?.object.pods?.initContainers.length ?? 0) > 0
}
