import { InvalidArgumentError, type Command } from 'commander'
import { parseAddress, type Address } from '@havn/model/address'
import { addDoorOptions, toOverrides, type ServerOptionValues } from '../options.ts'
import { configOption, type CommandContext } from '../program.ts'

interface ProxyValues extends ServerOptionValues {
  config?: string
  upstream?: Address
  static?: { url: string; directory: string }[]
}

export function addProxyCommand(program: Command, { terminal, setExitCode }: CommandContext): void {
  const command = program
    .command('proxy')
    .summary('run only the edge, in front of servers that run elsewhere')
    .description(
      'Serves routes, static files and upstreams as the "edge" of a config file says: of --config, or of this folder. SIGHUP takes the file as it is then; one that is wrong leaves what serves as it was.',
    )
    .addOption(configOption())
    .option(
      '-u, --upstream <address>',
      'where everything goes that no route is for: HOST:PORT or unix:/path',
      upstream,
    )
    .option('--static <url=dir>', 'a folder to serve under a URL prefix; may be repeated', folder)
  addDoorOptions(command).action(async (values: ProxyValues) => {
    const { proxy } = await import('../../deployment/proxy.ts')
    const { config, upstream: address, static: staticFiles } = values
    setExitCode(
      await proxy({ configFile: config, address, staticFiles, overrides: toOverrides(values) }, terminal),
    )
  })
}

function upstream(text: string): Address {
  const address = parseAddress(text)
  if (address === null || (address.type === 'tcp' && address.port === 0))
    throw new InvalidArgumentError('It takes HOST:PORT, :PORT (loopback) or unix:/path.')
  return address
}

function folder(
  text: string,
  before: { url: string; directory: string }[] | undefined,
): { url: string; directory: string }[] {
  const match = /^(\/.*)=(.+)$/.exec(text)
  if (match === null) throw new InvalidArgumentError('It takes a URL prefix and a folder: /static/=./public.')
  const url = match[1]!.endsWith('/') ? match[1]! : `${match[1]}/`
  return [...(before ?? []), { url, directory: match[2]! }]
}
