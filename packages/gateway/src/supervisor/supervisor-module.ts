import { moduleUrl } from '../module-url.ts'

/**
 * URL of the module that runs a supervisor as a process: `node <module> config.json`. It drains on SIGTERM and
 * SIGINT, and says `{ type: 'ready', addresses }` or `{ type: 'failed', error }` over an IPC channel.
 */
export const supervisorModule: string = moduleUrl(import.meta.url, './main').href
