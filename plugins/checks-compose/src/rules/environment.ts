import { composeFiles, defineRule, gitFiles, isSecretVariable } from '@havn/checklist'
import type { ComposeService, ComposeVariable } from '@havn/checklist'
import { isMeantToStay, productionServices } from '../walk.ts'

const docs = { language: 'yaml' }

/** Those that this service sets itself, in the compose file. */
function ownVariables(service: ComposeService): ComposeVariable[] {
  return [...service.environment.values()].filter(
    ({ place, envFile }) => envFile === null && place.file === service.file.source.file,
  )
}

export const secretInEnvironment = defineRule({
  id: 'compose.secret-in-environment',
  title: 'A secret is written in the compose file',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Take the value out (NAME: ${NAME:?}), and keep it in an .env that is not in git, or in secrets:.',
  references: ['CWE-798', 'https://docs.docker.com/compose/how-tos/use-secrets/'],
  docs: {
    ...docs,
    what: 'Finds variables of services and arguments of builds whose names are those of secrets, and whose values stand in the file; and passwords in URLs. Files for development are passed over.',
    why: 'It is in git for good, the same for all who run it, and known to whoever reads the repository.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    environment:\n      SECRET_KEY: kmqz1vwj83\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    environment:\n      SECRET_KEY: ${SECRET_KEY:?}\n',
  },
  needs: { composeFiles },
  check({ facts, report }) {
    for (const service of productionServices(facts.composeFiles)) {
      const args = (service.build?.args ?? []).filter(({ place }) => place.file === service.file.source.file)
      for (const { name, raw, place } of [...ownVariables(service), ...args])
        if (raw !== null && isSecretVariable(name, raw))
          report({
            message: `The value of ${name} stands in the file.`,
            place,
            resource: service.resource,
            isSensitive: true,
          })
    }
  },
})

const DEFAULT = /^\$\{\w+:?-([^$}]+)\}$/

export const secretDefault = defineRule({
  id: 'compose.secret-default',
  title: 'A secret has a default that everybody knows',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Write ${NAME:?} in its place: Compose then refuses to start without a value.',
  references: ['CWE-1392', 'https://docs.docker.com/reference/compose-file/interpolation/'],
  docs: {
    ...docs,
    what: 'Finds secrets whose variable has a default (`${SECRET_KEY:-changeme}`).',
    why: 'Where the variable is forgotten, the app runs with the secret that stands in the repository, and nobody notices.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    environment:\n      SECRET_KEY: ${SECRET_KEY:-changeme}\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    environment:\n      SECRET_KEY: ${SECRET_KEY:?}\n',
  },
  needs: { composeFiles },
  check({ facts, report }) {
    for (const service of productionServices(facts.composeFiles))
      for (const { name, raw, place } of ownVariables(service)) {
        const value = DEFAULT.exec(raw ?? '')?.[1] ?? null
        if (value !== null && isSecretVariable(name, value))
          report({
            message: `${name} has a default.`,
            place,
            resource: service.resource,
            isSensitive: true,
          })
      }
  },
})

export const secretInEnvFile = defineRule({
  id: 'compose.secret-in-env-file',
  title: 'A service gets its secrets from a file that is in git',
  severity: 'error',
  confidence: 'likely',
  hint: 'git rm --cached the file, ignore it, and make new secrets: these stay in the history.',
  references: ['CWE-538', 'https://12factor.net/config'],
  docs: {
    ...docs,
    what: 'Finds `env_file` of services, where git tracks the file and a value in it is that of a secret.',
    why: 'Whoever has a clone has the secrets, now and in each old commit.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    env_file: [production.env] # which is in git\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    env_file: [production.env] # which is in .gitignore\n',
  },
  needs: { composeFiles, gitFiles },
  check({ facts, report }) {
    const seen = new Set<string>()
    for (const service of productionServices(facts.composeFiles))
      for (const { name, value, envFile, place } of service.environment.values()) {
        if (envFile === null || value === null || !isSecretVariable(name, value)) continue
        if (!facts.gitFiles.tracked.has(envFile) || /example|sample|template|\bdev|local|test/i.test(envFile))
          continue
        const at = service.envFiles.find(({ file }) => file === envFile)!
        const key = `${envFile}:${name}`
        if (seen.has(key)) continue
        seen.add(key)
        report({
          message: `Git tracks ${envFile}, with ${name}.`,
          place,
          resource: service.resource,
          related: [{ message: 'the service reads it here', place: at.place }],
          isSensitive: true,
        })
      }
  },
})

const ON = /^(?:1|true|yes|on|y|t)$/i
const DEBUG = /^(?:\w+_)?DEBUG$|^FLASK_DEBUG$/
const STAGE = /^(?:NODE_ENV|FLASK_ENV|RAILS_ENV|APP_ENV|ASPNETCORE_ENVIRONMENT|DJANGO_ENV)$/
/** Switches of programs that are no debug mode of a web app. */
const HARMLESS = /^(?:LOG|LOGGING|SQL|NGINX|POSTGRES|POSTGRESQL|BITNAMI|SSL|CELERY|XDEBUG|WDT)_DEBUG$/

export const debugOn = defineRule({
  id: 'compose.debug-on',
  title: 'The app is started for development',
  severity: 'error',
  confidence: 'likely',
  hint: 'Set it to 0, or take it out, and set it in compose.override.yaml, which is for development.',
  references: ['security.W018', 'CWE-489'],
  docs: {
    ...docs,
    what: 'Finds `DEBUG`, `DJANGO_DEBUG`, `FLASK_DEBUG` and the like that are on, and `NODE_ENV` or `FLASK_ENV` of development; a warning where the file does not say that it stays up.',
    why: 'Error pages show settings and source to whoever asks; Flask and Node run with tools that are none for production.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    restart: always\n    environment:\n      DEBUG: "1"\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    restart: always\n    environment:\n      DEBUG: "0"\n',
  },
  needs: { composeFiles },
  check({ facts, report }) {
    for (const service of productionServices(facts.composeFiles))
      for (const { name, value, raw, place } of ownVariables(service)) {
        const isDebug = DEBUG.test(name) && !HARMLESS.test(name) && ON.test(value ?? '')
        const isStage = STAGE.test(name) && /^dev(?:elopment)?$/i.test(value ?? '')
        // A file that is laid over this one says otherwise.
        const isOver = service.overlays.some(({ environment }) => environment.has(name))
        if ((!isDebug && !isStage) || isOver) continue
        const isDefault = (raw ?? '').includes('$')
        report({
          message: isDefault ? `${name} is ${value} where nothing else is set.` : `${name} is ${value}.`,
          place,
          resource: service.resource,
          severity: isMeantToStay(service) && !isDefault ? undefined : 'warn',
        })
      }
  },
})
