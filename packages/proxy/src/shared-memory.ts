import { Generations, GENERATION_BYTES } from './cache/generations.ts'

/** Room for 65,536 clients or keys of rates, of which the system gives what is touched. */
const BUCKET_BYTES = 1_048_592

/** What an edge that is alone counts in. */
export const SHARED_BYTES: number = BUCKET_BYTES + GENERATION_BYTES

/** The cache's part of the memory, behind that of the rates. Where there is no room for it, its own. */
export function generationsIn(memory: SharedArrayBuffer): Generations {
  return memory.byteLength >= SHARED_BYTES
    ? new Generations(memory, BUCKET_BYTES)
    : new Generations(new SharedArrayBuffer(GENERATION_BYTES), 0)
}
