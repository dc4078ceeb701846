import type { Command } from 'commander'
import { configOption, jsonOption, type CommandContext } from '../program.ts'
import { formatTable } from '../table.ts'

export function addPluginsCommand(program: Command, { terminal }: CommandContext): void {
  program
    .command('plugins')
    .summary('list the plugins that are installed')
    .description('Lists plugins from package metadata; none of them is loaded.')
    .option('-d, --directory <dir>', "the app's folder, whose own dependencies are looked at too", '.')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async ({ directory, config, json }: { directory: string; config?: string; json?: boolean }) => {
      const { openProject } = await import('../../deployment/project.ts')
      const project = await openProject({ directory, configFile: config })
      const listings = project.registry.list()
      await project.close()
      if (json) return void terminal.stdout.write(JSON.stringify(listings, null, 2) + '\n')
      const rows = listings.map(({ id, api, compatible, package: from, version }) => [
        id,
        compatible ? `${api}` : `${api} (not compatible)`,
        `${from}@${version}`,
      ])
      terminal.stdout.write(formatTable([['PLUGIN', 'API', 'PACKAGE'], ...rows]))
    })
}
