import { composeFiles, defineFact, defineRule, dockerfiles } from '@havn/checklist'
import type { ComposeService, Dockerfile } from '@havn/checklist'
import { isOfficialWithoutHealthcheck, storeOf } from '../known-images.ts'
import {
  insertLine,
  isMeantToStay,
  isOneShot,
  productionServices,
  whereItStays,
  wholeServices,
} from '../walk.ts'

const docs = { language: 'yaml' }

/** Dockerfiles, or none: their lack is no reason to pass a service over. */
const anyDockerfiles = defineFact<readonly Dockerfile[]>({
  id: 'any-dockerfiles',
  title: 'Dockerfiles',
  collect: async ({ get }) => (await get(dockerfiles)) ?? [],
})
const needs = { composeFiles, anyDockerfiles }

export const restartMissing = defineRule({
  id: 'compose.restart-missing',
  title: 'A service is not started again',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Write restart: unless-stopped.',
  references: ['KICS 2fc99041', 'https://docs.docker.com/engine/containers/start-containers-automatically/'],
  docs: {
    ...docs,
    what: 'Finds services without `restart` or `deploy.restart_policy`, other than jobs that end by themselves; a note where no service of the file has one.',
    why: 'It stays down after a crash, and after each restart of the host.',
    bad: 'services:\n  web:\n    image: shop:1.4\n  db:\n    image: postgres:17\n    restart: unless-stopped\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    restart: unless-stopped\n  db:\n    image: postgres:17\n    restart: unless-stopped\n',
  },
  needs: { composeFiles },
  check({ facts, report }) {
    for (const service of wholeServices(facts.composeFiles)) {
      const isSet = service.hasAnywhere('restart') || service.hasAnywhere('deploy', 'restart_policy')
      // Swarm starts its services again by itself.
      if (isSet || isOneShot(service) || /stack|swarm/i.test(service.file.source.file)) continue
      report({
        message: 'It has no restart policy.',
        place: service.place,
        resource: service.resource,
        severity: whereItStays(service, 'warn'),
        fixes: insertLine(service, 'restart: unless-stopped', 'Start it again unless it was stopped'),
      })
    }
  },
})

export const healthcheckMissing = defineRule({
  id: 'compose.healthcheck-missing',
  title: 'Nobody looks whether a service answers',
  severity: 'info',
  confidence: 'likely',
  hint: 'Add a healthcheck that asks the app: test: [CMD, curl, --fail, http://localhost:8000/up].',
  references: ['KICS 698ed579', 'CIS Docker 5.27'],
  docs: {
    ...docs,
    what: 'Finds services without `healthcheck`, where the Dockerfile they are built from has no `HEALTHCHECK` either, and services that switch it off.',
    why: 'Docker takes a process that hangs for a healthy one, and starts what depends on it too early.',
    bad: 'services:\n  web:\n    image: shop:1.4\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    healthcheck:\n      test: [CMD, curl, --fail, "http://localhost:8000/up"]\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of wholeServices(facts.composeFiles)) {
      if (isOneShot(service) || healthOf(service, facts.anyDockerfiles) === 'checked') continue
      if (service.healthcheck?.isDisabled !== true && service.overlays.some(({ healthcheck }) => healthcheck))
        continue
      report({
        message: service.healthcheck?.isDisabled
          ? 'Its healthcheck is switched off.'
          : 'It has no healthcheck.',
        place: service.healthcheck?.place ?? service.place,
        resource: service.resource,
      })
    }
  },
})

/** `unknown` where the image may bring one. */
function healthOf(
  service: ComposeService,
  files: readonly Dockerfile[],
): 'checked' | 'unchecked' | 'unknown' {
  const { healthcheck, build } = service
  if (healthcheck !== null && (healthcheck.isDisabled || healthcheck.test !== null))
    return healthcheck.isDisabled ? 'unchecked' : 'checked'
  if (build === null) return isOfficialWithoutHealthcheck(service) ? 'unchecked' : 'unknown'
  const file = files.find(({ source }) => source.file === build.dockerfile)
  const stage =
    build.target === null
      ? file?.final
      : file?.stages.find(({ name }) => name === build.target!.toLowerCase())
  for (let each = stage ?? null; each !== null; each = each.base) {
    const found = each.instructions.findLast(({ keyword }) => keyword === 'HEALTHCHECK')
    if (found !== undefined) return /^\s*NONE\b/i.test(found.rest.text) ? 'unchecked' : 'checked'
  }
  // The image that it begins with may have one.
  return 'unknown'
}

export const dependencyUnready = defineRule({
  id: 'compose.dependency-unready',
  title: 'A service does not wait until what it needs is ready',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Write depends_on: { db: { condition: service_healthy } }, and give db a healthcheck.',
  references: ['https://docs.docker.com/compose/how-tos/startup-order/'],
  docs: {
    ...docs,
    what: 'Finds `depends_on` without `condition: service_healthy`, where the other service has a healthcheck; a note where it is a database that could have one.',
    why: 'The app starts while the database still reads its files: its first migration fails, now and then.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    depends_on: [db]\n  db:\n    image: postgres:17\n    healthcheck:\n      test: [CMD, pg_isready]\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    depends_on:\n      db:\n        condition: service_healthy\n  db:\n    image: postgres:17\n    healthcheck:\n      test: [CMD, pg_isready]\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of productionServices(facts.composeFiles))
      for (const { name, condition, place } of service.dependsOn) {
        if (condition !== 'service_started' || place.file !== service.file.source.file) continue
        const other = service.file.services.find((each) => each.name === name) ?? null
        if (other === null) continue
        const isChecked = healthOf(other, facts.anyDockerfiles) === 'checked'
        if (!isChecked && storeOf(other) === null) continue
        report({
          message: isChecked
            ? `It starts before ${name} is healthy.`
            : `It starts before ${name} is ready, which has no healthcheck.`,
          place,
          resource: service.resource,
          severity: isChecked ? undefined : 'info',
          related: [{ message: `${name} is here`, place: other.place }],
        })
      }
  },
})

export const dependencyNeverHealthy = defineRule({
  id: 'compose.dependency-never-healthy',
  title: 'A service waits for a health that nobody looks at',
  severity: 'error',
  confidence: 'likely',
  hint: 'Give the other service a healthcheck, or write condition: service_started.',
  references: ['https://docs.docker.com/reference/compose-file/services/#depends_on'],
  docs: {
    ...docs,
    what: 'Finds `condition: service_healthy` where the other service has no healthcheck, or has switched it off.',
    why: 'Compose ends with "container has no healthcheck configured", and starts nothing.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    depends_on:\n      db:\n        condition: service_healthy\n  db:\n    image: postgres:17\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    depends_on:\n      db:\n        condition: service_healthy\n  db:\n    image: postgres:17\n    healthcheck:\n      test: [CMD, pg_isready]\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of wholeServices(facts.composeFiles))
      for (const { name, condition, place } of service.dependsOn) {
        const other = service.file.services.find((each) => each.name === name) ?? null
        if (condition !== 'service_healthy' || other === null) continue
        const isElsewhere = other.overlays.some((each) => each.healthcheck !== null)
        if (!isElsewhere && healthOf(other, facts.anyDockerfiles) === 'unchecked')
          report({
            message: `${name} has no healthcheck.`,
            place,
            resource: service.resource,
            related: [{ message: `${name} is here`, place: other.place }],
          })
      }
  },
})

export const containerNameScaled = defineRule({
  id: 'compose.container-name-scaled',
  title: 'A service with several replicas has one name for all',
  severity: 'error',
  confidence: 'certain',
  hint: 'Take container_name out: Compose numbers the containers.',
  references: ['https://docs.docker.com/reference/compose-file/services/#container_name'],
  docs: {
    ...docs,
    what: 'Finds `container_name` beside more than one replica.',
    why: 'Two containers cannot have one name: Compose refuses to start the second.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    container_name: web\n    deploy:\n      replicas: 2\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    deploy:\n      replicas: 2\n',
  },
  needs: { composeFiles },
  check({ facts, report }) {
    for (const service of productionServices(facts.composeFiles)) {
      const found = service.node.entry('container_name')
      const { replicas } = service
      // Swarm passes it over.
      if (
        found === null ||
        replicas === null ||
        replicas < 2 ||
        /stack|swarm/i.test(service.file.source.file)
      )
        continue
      report({
        message: `${replicas} replicas cannot all be called ${found.value.text ?? 'so'}.`,
        place: found.keyPlace,
        resource: service.resource,
      })
    }
  },
})

export const logsUnbounded = defineRule({
  id: 'compose.logs-unbounded',
  title: 'The log of a service grows without end',
  severity: 'info',
  confidence: 'likely',
  hint: 'Write logging: { driver: local }, or max-size and max-file in the options of json-file.',
  references: ['https://docs.docker.com/engine/logging/configure/#configure-the-logging-driver-to-rotate'],
  docs: {
    ...docs,
    what: 'Finds services that stay up without `logging`, and those with json-file that set no `max-size`. The daemon may set them for all.',
    why: 'The default driver never removes a line: one day the disk is full, and everything on the host stops.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    restart: always\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    restart: always\n    logging:\n      driver: local\n',
  },
  needs: { composeFiles },
  check({ facts, report }) {
    for (const service of wholeServices(facts.composeFiles)) {
      const logging =
        [service, ...service.overlays].map((each) => each.setting('logging')).find(Boolean) ?? null
      const driver = logging?.value.at('driver')?.text ?? 'json-file'
      const isBounded = driver !== 'json-file' || logging?.value.at('options', 'max-size') != null
      if (isBounded || !isMeantToStay(service) || isOneShot(service)) continue
      report({
        message: logging === null ? 'It sets no bound to its log.' : 'json-file has no max-size.',
        place: logging?.keyPlace ?? service.place,
        resource: service.resource,
      })
    }
  },
})
