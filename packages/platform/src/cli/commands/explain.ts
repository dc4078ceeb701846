import type { Command } from 'commander'
import { addFolderOptions, jsonOption, type CommandContext, type FolderOptions } from '../program.ts'
import { paint } from '../terminal.ts'

export function addExplainCommand(program: Command, { terminal }: CommandContext): void {
  const command = program
    .command('explain')
    .summary('why each value of the deployment is what it is')
    .description('Shows what `up` would use, and why. Installs nothing.')
    .argument('[name]', 'one value, such as entry or workers')
    .option('-d, --directory <dir>', "the app's folder", '.')
    .addOption(jsonOption())
  addFolderOptions(command).action(
    async (only: string | undefined, values: FolderOptions & { directory: string; json?: boolean }) => {
      const { explain } = await import('../../deployment/explain.ts')
      const { config: configFile, python, directory, json } = values
      const explanations = await explain({ directory, configFile, python, only })
      if (json) return void terminal.stdout.write(JSON.stringify(explanations, null, 2) + '\n')
      for (const { name, value, because, source } of explanations) {
        const title = paint(terminal.isStdoutColored, 'bold', name)
        terminal.stdout.write(
          `${title}${value ? `: ${value}` : ''}\n    ${because}${source ? ` (${source})` : ''}\n`,
        )
      }
    },
  )
}
