import { readFile, readdir, readlink } from 'node:fs/promises'

const LISTEN = '0A'

/**
 * Finds who listens on a TCP port, by /proc.
 *
 * @returns such as `python3 -m http.server 8000 (process 4711)`; undefined where that cannot be seen.
 */
export async function findHolder(port: number): Promise<string | undefined> {
  const inodes = new Set([...(await listeningInodes('tcp', port)), ...(await listeningInodes('tcp6', port))])
  if (inodes.size === 0) return undefined
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid) || !(await holds(pid, inodes))) continue
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''))
      .split('\0')
      .join(' ')
      .trim()
    return `${shorten(command) || 'a program'} (process ${pid})`
  }
  return undefined
}

async function listeningInodes(table: 'tcp' | 'tcp6', port: number): Promise<string[]> {
  const wanted = ':' + port.toString(16).toUpperCase().padStart(4, '0')
  const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '')
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN && fields[1]?.endsWith(wanted))
    .map((fields) => `socket:[${fields[9]}]`)
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
    if (inodes.has(target)) return true
  }
  return false
}

function shorten(command: string): string {
  return command.length <= 80 ? command : command.slice(0, 77) + '...'
}
