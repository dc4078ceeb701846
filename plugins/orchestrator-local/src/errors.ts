import { formatAddress } from '@havn/model/address'
import { defineErrors } from '@havn/model/errors'
import type { Address } from '@havn/model/address'

export const errors = defineErrors({
  HAVN_ERR_LOCAL_RUNNING: {
    kind: 'user',
    message: (seen: { pid: number; since: string }) =>
      `This app already runs here: process ${seen.pid} has run it since ${seen.since}.`,
    hint: (seen: { pid: number }) => `Stop that first: Ctrl-C in its terminal, or kill -TERM ${seen.pid}.`,
  },
  HAVN_ERR_LOCAL_IMAGE: {
    kind: 'user',
    message: (seen: { reference: string }) =>
      `The local orchestrator runs source trees; this release is the image ${seen.reference}.`,
    hint: 'Choose an orchestrator that runs images, or deploy the folder itself.',
  },
  HAVN_ERR_LOCAL_UNSUPPORTED: {
    kind: 'user',
    message: (seen: { process: string; what: string }) =>
      `${seen.process} asks for ${seen.what}, which the local orchestrator can't give.`,
    hint: 'Take it out of the plan, or choose another orchestrator.',
  },
  HAVN_ERR_LOCAL_REPLICAS: {
    kind: 'user',
    message: (seen: { workload: string; replicas: number; address: Address }) =>
      `${seen.workload} cannot run ${seen.replicas} times on this machine: every replica would listen on ${formatAddress(seen.address)}.`,
    hint: 'Run one replica and give it more workers.',
  },
  HAVN_ERR_LOCAL_ORDER: {
    kind: 'system',
    message: (seen: { processes: readonly string[] }) =>
      `These processes wait for each other: ${seen.processes.join(', ')}.`,
    hint: 'One of them must start without the endpoint of another: correct "uses" in the plugin that planned them.',
  },
  HAVN_ERR_LOCAL_ADDRESS_TAKEN: {
    kind: 'user',
    message: (seen: { process: string; address: Address }) =>
      `${seen.process} can't listen on ${formatAddress(seen.address)}: another program does.`,
    hint: 'Stop that program, or choose another address.',
  },
  HAVN_ERR_LOCAL_RUNTIME: {
    kind: 'user',
    message: (seen: { process: string }) =>
      `${seen.process} needs the app's Python interpreter, and none was found.`,
    hint: 'Name one with --python.',
  },
  HAVN_ERR_LOCAL_SCRIPT_MISSING: {
    kind: 'user',
    message: (seen: { process: string; name: string; directory: string }) =>
      `${seen.process} needs the program ${seen.name}, and ${seen.directory} has none.`,
    hint: (seen: { name: string }) => `Install the package ${seen.name} into the app's Python environment.`,
  },
  HAVN_ERR_LOCAL_SECRET_MISSING: {
    kind: 'user',
    message: (seen: { process: string; names: readonly string[] }) =>
      `${seen.process} needs secrets that are not set: ${seen.names.join(', ')}.`,
    hint: 'Set each as an environment variable of that name.',
  },
  HAVN_ERR_LOCAL_GAVE_UP: {
    kind: 'user',
    message: (seen: { process: string; attempts: number }) =>
      `${seen.process} did not come back in ${seen.attempts} attempts; the release was stopped.`,
    hint: 'Read its last lines of output for the reason.',
  },
  HAVN_ERR_LOCAL_RELOAD: {
    kind: 'user',
    message: (seen: { processes: readonly string[] }) =>
      seen.processes.length === 0
        ? 'Nothing runs that could be reloaded.'
        : `No process of the release can reload: ${seen.processes.join(', ')}.`,
    hint: 'Stop the release and start it again: platform down, then platform up.',
  },
  HAVN_ERR_LOCAL_RELOAD_LOST: {
    kind: 'system',
    message: (seen: { process: string }) => `${seen.process} ended while it reloaded.`,
    hint: 'It is started again, with the app as it is now; read its last lines of output for the reason.',
  },
  HAVN_ERR_JOB_FAILED: {
    kind: 'user',
    message: (seen: { title: string; end: string }) => `${seen.title}: the program ${seen.end}.`,
    hint: 'Read what it printed for the reason.',
  },
  HAVN_ERR_JOB_DEADLINE: {
    kind: 'user',
    message: (seen: { title: string; deadlineMs: number }) =>
      `${seen.title}: not done within ${seen.deadlineMs} ms, so it was ended.`,
    hint: 'See in its output what it waits for.',
  },
  HAVN_ERR_JOB_LOCKED: {
    kind: 'user',
    message: (seen: { title: string; pid: number; what: string; since: string }) =>
      `${seen.title}: process ${seen.pid} holds the lock for "${seen.what}" since ${seen.since}.`,
    hint: 'Wait until that process is done.',
  },
})
