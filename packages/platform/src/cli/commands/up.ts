import type { Command } from 'commander'
import { addGateOptions, toGatePolicy, type GateOptionValues } from '../gate-options.ts'
import { addServerOptions, toOverrides, type ServerOptionValues } from '../options.ts'
import { addFolderOptions, type CommandContext, type FolderOptions } from '../program.ts'

export function addUpCommand(program: Command, { terminal, setExitCode }: CommandContext): void {
  const command = program
    .command('up')
    .summary('install, migrate, collect static files and serve the app of a folder')
    .description(
      'Finds the app in a folder, prepares its environment, runs its release steps once, and serves it until Ctrl-C.',
    )
    .argument('[dir]', "the app's folder", '.')
  addGateOptions(addServerOptions(addFolderOptions(command))).action(
    async (dir: string, values: FolderOptions & ServerOptionValues & GateOptionValues) => {
      const { up } = await import('../../deployment/up.ts')
      const { config: configFile, python } = values
      const gate = toGatePolicy(values)
      const options = { directory: dir, configFile, python, overrides: toOverrides(values), gate }
      setExitCode(await up(options, terminal))
    },
  )
}
