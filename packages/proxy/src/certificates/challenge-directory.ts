import { join } from 'node:path'

/** Where the answers to http-01 challenges lie while an authority looks (RFC 8555 §8.3): a file for each, by its token. */
export function challengeDirectory(storage: string): string {
  return join(storage, 'challenges')
}
