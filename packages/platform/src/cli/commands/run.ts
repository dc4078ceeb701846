import type { Command } from 'commander'
import { addFolderOptions, type CommandContext, type FolderOptions } from '../program.ts'

export function addRunCommand(program: Command, { setExitCode }: CommandContext): void {
  const command = program
    .command('run')
    .summary("run a command in the app's environment")
    .description(
      "Runs a command with the app's variables, interpreter and folder; its exit code is returned.",
    )
    .usage('[options] [--] <command...>')
    .argument('[command...]', 'the command and its arguments')
    .passThroughOptions()
    .option('-d, --directory <dir>', "the app's folder", '.')
  addFolderOptions(command).action(async (words: string[], values: FolderOptions & { directory: string }) => {
    const { runCommand } = await import('../../deployment/run-command.ts')
    const { config: configFile, python, directory } = values
    setExitCode(await runCommand({ directory, configFile, python, command: words }))
  })
}
