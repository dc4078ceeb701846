import type { WriteStream } from 'node:tty'
import { Command, Option } from 'commander'
import { addCheckCommand } from './commands/check.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addExplainCommand } from './commands/explain.ts'
import { addPluginsCommand } from './commands/plugins.ts'
import { addRunCommand } from './commands/run.ts'
import { addProxyCommand } from './commands/proxy.ts'
import { addServeCommand } from './commands/serve.ts'
import { addDownCommand, addReloadCommand, addStatusCommand } from './commands/status.ts'
import { addUpCommand } from './commands/up.ts'
import type { Terminal } from './terminal.ts'

/** What a command's action reaches: the terminal, and where it leaves its exit code. */
export interface CommandContext {
  terminal: Terminal
  setExitCode(code: number): void
}

/** Options of each command that works on a folder. */
export interface FolderOptions {
  config?: string
  python?: string
}

export function addFolderOptions(command: Command): Command {
  return command
    .addOption(configOption())
    .option(
      '--python <path>',
      "interpreter whose environment has the app's requirements; nothing is installed into it",
    )
}

export function configOption(): Option {
  return new Option(
    '-c, --config <file>',
    'config file, in place of platform.config.{ts,toml,json} in the folder',
  )
}

export function jsonOption(): Option {
  return new Option('--json', 'print facts as JSON')
}

/** The whole command line. Each command loads what it does only when it runs: `--help` and `serve` start fast. */
export function createProgram(context: CommandContext, version: string): Command {
  const program = new Command('platform')
    .description(
      'Takes a web app from its source tree to production: Django and every other WSGI or ASGI app, and Node.',
    )
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .enablePositionalOptions()
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.stdout.write(text),
      writeErr: () => {},
      getOutHelpWidth: () => (context.terminal.stdout as Partial<WriteStream>).columns ?? 80,
    })
    .addHelpText('after', examples)
  for (const add of [
    addUpCommand,
    addServeCommand,
    addProxyCommand,
    addRunCommand,
    addStatusCommand,
    addReloadCommand,
    addDownCommand,
    addCheckCommand,
    addExplainCommand,
    addPluginsCommand,
    addDoctorCommand,
  ]) {
    add(program, context)
  }
  return program
}

const examples = `
Examples:
  platform up                                  serve the app in this folder, on http://127.0.0.1:8000/
  platform up shop --bind :9000                another folder, another port
  platform serve copenhagen.wsgi:application   only the app server, as gunicorn would be used
  platform serve ./app.ts --workers 4          a Node or TypeScript app
  platform proxy --upstream :9000              only the edge, in front of another server
  platform run -- python manage.py shell       a command in the app's environment
  platform check                               look for what will hurt in production
  platform explain entry                       why this entry was chosen
  platform reload                              take changed code, without losing a request
  platform down                                finish requests in flight, and stop

Exit codes: 0 done, 1 failed, 2 wrong use, 3 findings at or above the fail level.`
