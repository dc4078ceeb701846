import { Option, type Command } from 'commander'
import type { AppInterface } from '@havn/model'
import { addServerOptions, toOverrides, type ServerOptionValues } from '../options.ts'
import type { CommandContext } from '../program.ts'

interface ServeValues extends ServerOptionValues {
  directory: string
  interface?: AppInterface
  python?: string
}

export function addServeCommand(program: Command, { terminal, setExitCode }: CommandContext): void {
  const command = program
    .command('serve')
    .summary('run only the app server; installs nothing, changes nothing')
    .description(
      'Serves one entry with the gateway, as gunicorn, uvicorn or node would be used. Without --bind it listens on the sockets that a systemd socket unit passes, where there are any.',
    )
    .argument('<entry>', 'MODULE:ATTRIBUTE of a Python app, or a JavaScript or TypeScript file')
    .option('-d, --directory <dir>', 'working directory, first on the module path', '.')
    .addOption(
      new Option('--interface <interface>', 'how the app is called; found out when absent').choices([
        'wsgi',
        'asgi',
        'fetch',
        'node',
      ]),
    )
    .option('--python <path>', "interpreter that has the app's requirements")
  addServerOptions(command).action(async (entry: string, values: ServeValues) => {
    const { serve } = await import('../../deployment/serve.ts')
    const { directory, interface: kind, python } = values
    setExitCode(
      await serve({ entry, directory, interface: kind, python, overrides: toOverrides(values) }, terminal),
    )
  })
}
