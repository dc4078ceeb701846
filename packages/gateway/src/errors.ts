import { defineErrors } from '@havn/model/errors'

/** Errors of the gateway's life: its configuration, its listeners, and an app that does not start. */
export const errors = defineErrors({
  HAVN_ERR_GATEWAY_CONFIG: {
    kind: 'user',
    exit: 2,
    message: (seen: { problems: string }) => `The gateway's configuration is not valid: ${seen.problems}`,
    hint: 'Correct what is named; the README of @havn/gateway lists the keys.',
  },
  HAVN_ERR_GATEWAY_CONFIG_FILE: {
    kind: 'user',
    exit: 2,
    message: (seen: { path: string; reason: string }) =>
      `The gateway's configuration cannot be read from ${seen.path}: ${seen.reason}.`,
    hint: 'Name a JSON file as the first argument, or in HAVN_GATEWAY_CONFIG.',
  },
  HAVN_ERR_GATEWAY_ADDRESS_IN_USE: {
    kind: 'user',
    message: (seen: { address: string; holder?: string }) =>
      `${seen.address} is in use${seen.holder === undefined ? '' : ` by ${seen.holder}`}.`,
    hint: 'Stop what listens there, or choose another address.',
  },
  HAVN_ERR_GATEWAY_ADDRESS: {
    kind: 'user',
    message: (seen: { address: string; reason: string }) =>
      `Cannot listen on ${seen.address}: ${seen.reason}.`,
    hint: 'Choose another address, or give this user the right to use that one.',
  },
  HAVN_ERR_GATEWAY_RUN_DIRECTORY: {
    kind: 'user',
    message: (seen: { path: string; reason: string }) =>
      `No private folder can be made in ${seen.path}: ${seen.reason}.`,
    hint: 'Choose another runDirectory, or make that one writable for this user.',
  },
  HAVN_ERR_GATEWAY_EDGE: {
    kind: 'system',
    message: (seen: { module: string; reason: string }) =>
      `The edge ${seen.module} does not start: ${seen.reason}.`,
    hint: 'Name a module that exports createEdge(config, context), and a configuration that it accepts.',
  },
  HAVN_ERR_GATEWAY_CERTIFICATES: {
    kind: 'system',
    message: (seen: { module: string; reason: string }) =>
      `The source of certificates ${seen.module} does not start: ${seen.reason}.`,
    hint: 'Name a module that exports openCertificates(config, context), and a configuration that it accepts.',
  },
  HAVN_ERR_GATEWAY_THREAD_MODULE: {
    kind: 'user',
    message: (seen: { module: string; reason: string }) =>
      `The thread module ${seen.module} does not load: ${seen.reason}.`,
    hint: 'Correct the module, or take it out of threadModules.',
  },
  HAVN_ERR_GATEWAY_THREAD: {
    kind: 'system',
    message: (seen: { thread: number; reason: string }) =>
      `Thread ${seen.thread} of the gateway ended: ${seen.reason}.`,
    hint: 'A JavaScript app shares its thread: look for its error below.',
  },
  HAVN_ERR_GATEWAY_CRASH_LOOP: {
    kind: 'user',
    message: (seen: { name: string; failures: number; withinMs: number; reason: string; delayMs: number }) =>
      `${seen.name} has died, or did not start, ${seen.failures} times within ${(seen.withinMs / 1000).toFixed(1)} s, and is tried again in ${seen.delayMs / 1000} s. The last time: ${seen.reason}`,
    hint: 'Correct the cause (the records before this one tell of each end), then reload: that tries at once.',
  },
  HAVN_ERR_GATEWAY_RELOAD_LOST: {
    kind: 'system',
    message: (seen: { end: string }) => `The gateway process ${seen.end} while it reloaded.`,
    hint: 'It is started again, with the app as it is now: its death is in the log.',
  },
  HAVN_ERR_GATEWAY_RELOAD_ADDRESS: {
    kind: 'user',
    message: () => 'A reload cannot change the addresses that the gateway listens on.',
    hint: 'Leave listeners as they are, or stop the gateway and start it again.',
  },
  HAVN_ERR_GATEWAY_STOPPING: {
    kind: 'user',
    message: () => 'The gateway stops: nothing is reloaded.',
    hint: 'Start it again: it takes the app as it is then.',
  },
  HAVN_ERR_APP_ATTRIBUTE: {
    kind: 'user',
    message: (seen: { message: string }) => seen.message,
    hint: 'Write the entry as module:attribute, with an attribute that the module has.',
  },
  HAVN_ERR_APP_FACTORY: {
    kind: 'user',
    message: (seen: { message: string }) => seen.message,
    hint: 'Correct the factory, or leave out the () when the entry is the app itself.',
  },
  HAVN_ERR_APP_START_TIMEOUT: {
    kind: 'user',
    message: (seen: { target: string; timeoutMs: number }) =>
      `The app ${seen.target} was not ready within ${seen.timeoutMs} ms.`,
    hint: 'See what it waits for as it is imported (a database, a network), or raise timeouts.startMs.',
  },
  HAVN_ERR_APP_UNHEALTHY: {
    kind: 'user',
    message: (seen: { path: string; host: string; seen: string }) =>
      `The new process answers ${seen.seen} to ${seen.path} (Host: ${seen.host}).`,
    hint: 'Its log says why. Correct the app, or set health to a path and a Host that it answers below 500.',
  },
  HAVN_ERR_APP_DIED: {
    kind: 'user',
    message: (seen: { target: string; end: string }) => `The app ${seen.target} ${seen.end} as it started.`,
    hint: 'Its last lines of output are below. A signal such as SIGSEGV points to native code that it loads.',
  },
})
