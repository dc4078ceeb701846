import { isMainThread } from 'node:worker_threads'

/** Imported first by each Node of a gateway: an error of the gateway process's own main thread, when it is asked for. */
if (isMainThread && process.argv[1]?.includes('/gateway-process/')) {
  process.on('SIGWINCH', () => {
    throw new Error('nobody in the gateway process catches this')
  })
}
