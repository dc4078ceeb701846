import { readFile, readdir } from 'node:fs/promises'

/** Live processes of a session or process group, as `pid command`: what a clean stop must leave empty. */
export async function processesOfGroup(leader: number): Promise<string[]> {
  const found: string[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => null)
    if (stat === null) continue
    // The command is in parentheses and may hold anything; state, ppid, pgrp and session follow it.
    const [state, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state !== 'Z' && (Number(group) === leader || Number(session) === leader)) {
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
      found.push(`${name} ${command.replaceAll('\0', ' ').trim()}`)
    }
  }
  return found
}
