import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Runs a full collection, so that what is left in memory is what is held. */
export const collectGarbage = runInNewContext('gc') as () => void
