import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { readStatus, requestStop } from '../../control/control-client.ts'
import { runDirectoryOf } from '../../deployment/state-directories.ts'
import { errors } from '../../errors.ts'
import { jsonOption, type CommandContext } from '../program.ts'
import { formatTable } from '../table.ts'

export function addStatusCommand(program: Command, { terminal }: CommandContext): void {
  program
    .command('status')
    .description('Shows what runs for a folder: its processes, addresses and release.')
    .argument('[dir]', "the app's folder", '.')
    .addOption(jsonOption())
    .action(async (dir: string, { json }: { json?: boolean }) => {
      const root = resolve(dir)
      const status = await readStatus(runDirectoryOf(root))
      if (!status) throw errors.HAVN_ERR_NOT_UP({ root })
      if (json) return void terminal.stdout.write(JSON.stringify(status, null, 2) + '\n')
      const { name, framework, entry, release, urls, since, processes } = status
      const version = framework.version ? ` ${framework.version}` : ''
      terminal.stdout.write(`${name}: ${framework.name}${version}, ${entry.target}\n`)
      terminal.stdout.write(`release ${release}, up since ${since}, on ${urls.join(' and ')}\n\n`)
      const rows = processes.map(({ process: id, pid, state, restarts }) => [
        id,
        String(pid ?? '-'),
        state,
        String(restarts),
      ])
      terminal.stdout.write(formatTable([['PROCESS', 'PID', 'STATE', 'RESTARTS'], ...rows]))
    })
}

const downPollMs = 100

export function addDownCommand(program: Command, { terminal }: CommandContext): void {
  program
    .command('down')
    .description('Drains and stops what runs for a folder, and waits until it has ended.')
    .argument('[dir]', "the app's folder", '.')
    .action(async (dir: string) => {
      const root = resolve(dir)
      const runDirectory = runDirectoryOf(root)
      if (!(await requestStop(runDirectory))) throw errors.HAVN_ERR_NOT_UP({ root })
      while (await readStatus(runDirectory).catch(() => null)) await sleep(downPollMs)
      terminal.stderr.write('Stopped.\n')
    })
}
