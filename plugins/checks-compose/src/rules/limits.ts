import { composeFiles, defineRule } from '@havn/checklist'
import type { ComposeFile } from '@havn/checklist'
import { productionServices, wholeServices } from '../walk.ts'

const docs = { language: 'yaml' }
const needs = { composeFiles }

/** What Docker takes for none. */
const NO_LIMIT = /^(?:-1|0(?:\.0+)?[bkmg]?)$/i

/** Rules that want one of some settings are the same apart from their words. */
function limitRule(told: {
  id: string
  title: string
  settings: readonly (readonly string[])[]
  message: string
  hint: string
  references: readonly string[]
  why: string
  good: string
}) {
  return defineRule({
    id: told.id,
    title: told.title,
    severity: 'info',
    confidence: 'certain',
    hint: told.hint,
    references: told.references,
    docs: {
      ...docs,
      what: `Finds services without ${told.settings.map((keys) => `\`${keys.join('.')}\``).join(' or ')}, and those that set it to 0 or -1, which is none.`,
      why: told.why,
      bad: 'services:\n  web:\n    image: shop:1.4\n',
      good: `services:\n  web:\n    image: shop:1.4\n${told.good}`,
    },
    needs,
    check({ facts, report }) {
      for (const service of wholeServices(facts.composeFiles)) {
        const all = [service.base, service, ...service.overlays]
        const found = told.settings.flatMap((keys) => all.flatMap((each) => each?.setting(...keys) ?? []))
        if (found.some(({ value }) => !NO_LIMIT.test(value.text ?? ''))) continue
        const place = found[0]?.value.place ?? service.place
        report({ message: told.message, place, resource: service.resource })
      }
    },
  })
}

export const memoryLimit = limitRule({
  id: 'compose.memory-limit',
  title: 'A service may take all memory of the host',
  settings: [['mem_limit'], ['deploy', 'resources', 'limits', 'memory']],
  message: 'Its memory has no limit.',
  hint: 'Write deploy: { resources: { limits: { memory: 512M } } }, with what it needs at its busiest.',
  references: ['KICS bb9ac4f7', 'CIS Docker 5.11'],
  why: 'A leak in one service makes the kernel end others, the database among them.',
  good: '    deploy:\n      resources:\n        limits:\n          memory: 512M\n',
})

export const cpuLimit = limitRule({
  id: 'compose.cpu-limit',
  title: 'A service may take all processors of the host',
  settings: [['cpus'], ['cpu_quota'], ['cpu_shares'], ['cpuset'], ['deploy', 'resources', 'limits', 'cpus']],
  message: 'Its share of the processors has no limit.',
  hint: 'Write deploy: { resources: { limits: { cpus: "2" } } }, or cpu_shares where it may take what is left.',
  references: ['KICS 6b610c50', 'CIS Docker 5.12'],
  why: 'One busy service makes all others on the host slow.',
  good: '    cpus: 2\n',
})

export const pidsLimit = limitRule({
  id: 'compose.pids-limit',
  title: 'A service may start processes without end',
  settings: [['pids_limit'], ['deploy', 'resources', 'limits', 'pids']],
  message: 'The number of its processes has no limit.',
  hint: 'Write pids_limit: 200, or deploy: { resources: { limits: { pids: 200 } } }.',
  references: ['KICS 221e0658', 'CIS Docker 5.29'],
  why: 'A fork bomb, or a leak of processes, takes the process table of the host.',
  good: '    pids_limit: 200\n',
})

/** Files that `docker stack deploy` reads: named so, or with what Swarm alone does. */
function isForSwarm({ source, services }: ComposeFile): boolean {
  const hasSwarm = ['placement', 'mode', 'update_config', 'rollback_config', 'endpoint_mode']
  return (
    /stack|swarm/i.test(source.file) ||
    services.some(({ node }) => hasSwarm.some((key) => node.at('deploy', key) !== null))
  )
}

function swarmRule(told: {
  id: string
  title: string
  key: string
  hint: string
  what: string
  why: string
  good: string
}) {
  return defineRule({
    id: told.id,
    title: told.title,
    severity: 'info',
    confidence: 'likely',
    hint: told.hint,
    references: ['https://docs.docker.com/reference/compose-file/deploy/#update_config'],
    docs: {
      ...docs,
      what: told.what,
      why: told.why,
      bad: 'services:\n  web:\n    image: shop:1.4\n    deploy:\n      mode: replicated\n      replicas: 2\n',
      good: `services:\n  web:\n    image: shop:1.4\n    deploy:\n      mode: replicated\n      replicas: 2\n${told.good}`,
    },
    needs,
    check({ facts, report }) {
      for (const service of productionServices(facts.composeFiles.filter(isForSwarm))) {
        const deploy = service.setting('deploy')
        if (!service.isWhole || service.hasAnywhere('deploy', told.key)) continue
        if (deploy?.value.at('mode')?.text?.includes('job') === true) continue
        report({
          message: `It has no ${told.key}.`,
          place: deploy?.keyPlace ?? service.place,
          resource: service.resource,
        })
      }
    },
  })
}

export const updatePolicy = swarmRule({
  id: 'compose.update-policy-missing',
  title: 'Swarm is not told how to update a service',
  key: 'update_config',
  hint: 'Write update_config: { order: start-first, failure_action: rollback }.',
  what: 'Finds services of files for Swarm without `deploy.update_config`.',
  why: 'Swarm ends the old task before the new one runs, and stops halfway where that does not start: one replica means downtime at each update.',
  good: '      update_config:\n        order: start-first\n        failure_action: rollback\n',
})

export const rollbackPolicy = swarmRule({
  id: 'compose.rollback-policy-missing',
  title: 'Swarm is not told how to roll a service back',
  key: 'rollback_config',
  hint: 'Write rollback_config: { order: start-first }.',
  what: 'Finds services of files for Swarm without `deploy.rollback_config`.',
  why: 'A rollback ends a task that works before the old one is there again.',
  good: '      rollback_config:\n        order: start-first\n',
})
