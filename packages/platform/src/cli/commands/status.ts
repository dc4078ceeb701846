import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { runDirectoryOf } from '../../deployment/state-directories.ts'
import { errors } from '../../errors.ts'
import { configOption, jsonOption, type CommandContext } from '../program.ts'
import { describeProcesses } from '../describe-processes.ts'

export function addStatusCommand(program: Command, { terminal }: CommandContext): void {
  program
    .command('status')
    .summary('what runs for a folder')
    .description('Shows what runs for a folder: its processes, addresses and release.')
    .argument('[dir]', "the app's folder", '.')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (directory: string, { config, json }: { config?: string; json?: boolean }) => {
      const { locateProject } = await import('../../deployment/project.ts')
      const { readStatus } = await import('../../control/control-client.ts')
      const { root } = await locateProject({ directory, configFile: config })
      const status = await readStatus(runDirectoryOf(root))
      if (!status) throw errors.HAVN_ERR_NOT_UP({ root })
      if (json) return void terminal.stdout.write(JSON.stringify(status, null, 2) + '\n')
      const { name, framework, entry, release, urls, since, processes } = status
      const version = framework.version ? ` ${framework.version}` : ''
      terminal.stdout.write(`${name}: ${framework.name}${version}, ${entry.target}\n`)
      terminal.stdout.write(`release ${release}, up since ${since}, on ${urls.join(' and ')}\n\n`)
      terminal.stdout.write(describeProcesses(processes))
    })
}

export function addReloadCommand(program: Command, { terminal }: CommandContext): void {
  program
    .command('reload')
    .summary('take the app of a folder anew, without losing a request')
    .description(
      'Has what runs for a folder take its code and settings anew, and waits until that serves. New processes take over only once they answered; when they do not boot, the old ones serve on. Runs no release steps, and installs nothing.',
    )
    .argument('[dir]', "the app's folder", '.')
    .addOption(configOption())
    .action(async (directory: string, { config }: { config?: string }) => {
      const { locateProject } = await import('../../deployment/project.ts')
      const { requestReload } = await import('../../control/control-client.ts')
      const { root } = await locateProject({ directory, configFile: config })
      if (!(await requestReload(runDirectoryOf(root)))) throw errors.HAVN_ERR_NOT_UP({ root })
      terminal.stderr.write('Reloaded.\n')
    })
}

const downPollMs = 100
const endGraceMs = 5_000

export function addDownCommand(program: Command, { terminal }: CommandContext): void {
  program
    .command('down')
    .summary('finish requests in flight, and stop what runs for a folder')
    .description('Drains and stops what runs for a folder, and waits until it has ended.')
    .argument('[dir]', "the app's folder", '.')
    .addOption(configOption())
    .action(async (directory: string, { config }: { config?: string }) => {
      const { locateProject } = await import('../../deployment/project.ts')
      const { readStatus, requestStop } = await import('../../control/control-client.ts')
      const { root } = await locateProject({ directory, configFile: config })
      const runDirectory = runDirectoryOf(root)
      const status = await readStatus(runDirectory)
      if (!status || !(await requestStop(runDirectory))) throw errors.HAVN_ERR_NOT_UP({ root })
      while (await readStatus(runDirectory).catch(() => null)) await sleep(downPollMs)
      await waitForEnd(status.pid)
      terminal.stderr.write('Stopped.\n')
    })
}

/** The control socket closes a moment before its process ends; an ended process that nobody reaps is not waited for. */
async function waitForEnd(pid: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < endGraceMs; waitedMs += downPollMs) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await sleep(downPollMs)
  }
}
