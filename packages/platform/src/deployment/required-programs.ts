import { delimiter } from 'node:path'
import type { ProxyContract } from '@havn/plugin-api'
import { findProgram } from '@havn/process'
import { errors } from '../errors.ts'

/** Where systems put servers, and leave them out of people's PATH. */
const SERVER_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/**
 * The programs that a plugin needs on this machine: absolute paths by name.
 *
 * @param path the PATH to look on, before the folders that only administrators have on theirs.
 * @throws HAVN_ERR_PROGRAM_MISSING
 */
export async function findRequiredPrograms(
  { id, instance }: { id: string; instance: Pick<ProxyContract, 'programs'> },
  path = process.env['PATH'] ?? '',
): Promise<Record<string, string>> {
  const env = { PATH: [path, ...SERVER_FOLDERS].join(delimiter) }
  const found: Record<string, string> = {}
  for (const { name, install } of instance.programs ?? []) {
    const program = await findProgram(name, env)
    if (program === null) throw errors.HAVN_ERR_PROGRAM_MISSING({ plugin: id, program: name, install })
    found[name] = program
  }
  return found
}
