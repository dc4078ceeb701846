import { formatAddress, type Address } from '@havn/model/address'
import { defineErrors } from '@havn/model/errors'

/** Errors of the command line, the configuration and the deployment flow. */
export const errors = defineErrors({
  HAVN_ERR_DIRECTORY_MISSING: {
    kind: 'user',
    exit: 2,
    message: (seen: { path: string }) => `There is no directory ${seen.path}.`,
    hint: 'Name the folder that holds your app, or run the command inside it.',
  },
  HAVN_ERR_CONFIG_NOT_FOUND: {
    kind: 'user',
    exit: 2,
    message: (seen: { path: string }) => `There is no config file ${seen.path}.`,
    hint: 'Check the path after --config.',
  },
  HAVN_ERR_CONFIG_SEVERAL: {
    kind: 'user',
    exit: 2,
    message: (seen: { found: string[] }) => `There are several config files: ${seen.found.join(', ')}.`,
    hint: 'Keep one of them, or choose with --config.',
  },
  HAVN_ERR_CONFIG_SYNTAX: {
    kind: 'user',
    exit: 2,
    message: (seen: { path: string; reason: string }) => `${seen.path} cannot be read: ${seen.reason}`,
    hint: 'Correct the file at the place named.',
  },
  HAVN_ERR_CONFIG_INVALID: {
    kind: 'user',
    exit: 2,
    message: (seen: { path: string; problems: string[] }) =>
      seen.problems.length === 1
        ? `${seen.path}: ${seen.problems[0]}`
        : `${seen.path} has ${seen.problems.length} problems:\n${seen.problems.map((p) => `  - ${p}`).join('\n')}`,
    hint: 'Every key and its type is in platform.config.schema.json, in the schema folder of @havn/platform.',
  },
  HAVN_ERR_CHECK_PACK: {
    kind: 'user',
    message: (seen: { pack: string }) => `The rules of ${seen.pack} cannot be loaded: nothing was checked.`,
    hint: 'Correct the package that it names, or take it out of plugins.',
  },
  HAVN_ERR_CHECK_BASELINE_MISSING: {
    kind: 'user',
    exit: 2,
    message: (seen: { file: string; reason: string }) =>
      `The baseline ${seen.file} cannot be read: ${seen.reason}.`,
    hint: 'Write it with platform check --write-baseline FILE, or take checks.baseline out of the config.',
  },
  HAVN_ERR_CHECK_BASELINE_UNWRITABLE: {
    kind: 'user',
    message: (seen: { file: string; reason: string }) =>
      `The baseline ${seen.file} cannot be written: ${seen.reason}.`,
    hint: 'Name a file in a folder that there is, and that is yours to write.',
  },
  HAVN_ERR_BIND_INVALID: {
    kind: 'user',
    exit: 2,
    message: (seen: { text: string }) => `"${seen.text}" is not an address.`,
    hint: 'Write HOST:PORT, :PORT, PORT or unix:/path, such as 127.0.0.1:8000.',
  },
  HAVN_ERR_OPTION_INVALID: {
    kind: 'user',
    exit: 2,
    message: (seen: { option: string; value: string; wanted: string }) =>
      `${seen.option} was given "${seen.value}"; it takes ${seen.wanted}.`,
    hint: 'Run the command with --help to see its options.',
  },
  HAVN_ERR_COMMAND_USAGE: {
    kind: 'user',
    exit: 2,
    message: (seen: { message: string; command?: string }) => seen.message,
    hint: (seen: { command?: string }) =>
      `Run platform ${seen.command ? `${seen.command} ` : ''}--help to see ${seen.command ? 'its options' : 'commands and options'}.`,
  },
  HAVN_ERR_APP_NOT_FOUND: {
    kind: 'user',
    message: (seen: { directory: string; lookedFor: readonly string[] }) =>
      `No app was found in ${seen.directory}. Looked for:\n${seen.lookedFor.map((line) => `  - ${line}`).join('\n')}`,
    hint: 'Run it in the app\'s folder, or name the entry in platform.config.toml: app.entry = "module:attribute".',
  },
  HAVN_ERR_ENTRY_INVALID: {
    kind: 'user',
    exit: 2,
    message: (seen: { entry: string }) => `"${seen.entry}" is not an entry.`,
    hint: 'Write MODULE:ATTRIBUTE for Python (copenhagen.wsgi:application) or a file for JavaScript (./app.ts).',
  },
  HAVN_ERR_ENTRY_FILE_MISSING: {
    kind: 'user',
    exit: 2,
    message: (seen: { file: string }) => `There is no file ${seen.file}.`,
    hint: 'Check the entry; it is relative to --directory.',
  },
  HAVN_ERR_INTERFACE_UNSUPPORTED: {
    kind: 'user',
    message: (seen: { server: string; interface: string; supported: readonly string[] }) =>
      `${seen.server} cannot run ${seen.interface} apps; it runs ${seen.supported.join(' and ')}.`,
    hint: 'Choose another server, or another entry with app.entry and app.interface.',
  },
  HAVN_ERR_FRAMEWORK_UNKNOWN: {
    kind: 'user',
    exit: 2,
    message: (seen: { name: string; known: readonly string[] }) =>
      `There is no framework detector "${seen.name}"; there are ${seen.known.join(', ')}.`,
    hint: 'Correct app.framework in the config.',
  },
  HAVN_ERR_PORT_TAKEN: {
    kind: 'user',
    message: (seen: { address: Address }) => `${formatAddress(seen.address)} is in use by another program.`,
    hint: 'Stop that program, or choose another address with --bind.',
  },
  HAVN_ERR_STATE_UNWRITABLE: {
    kind: 'user',
    message: (seen: { path: string; reason: string }) => `${seen.path} cannot be written: ${seen.reason}.`,
    hint: 'Give this user the right to write there: Havn keeps its environment and step cache in it.',
  },
  HAVN_ERR_ALREADY_UP: {
    kind: 'user',
    message: (seen: { root: string; pid: number }) => `${seen.root} is already up (process ${seen.pid}).`,
    hint: 'Stop it with platform down, or use another folder.',
  },
  HAVN_ERR_NOT_UP: {
    kind: 'user',
    message: (seen: { root: string }) => `Nothing is up in ${seen.root}.`,
    hint: 'Start it with platform up.',
  },
  HAVN_ERR_CONTROL_UNANSWERED: {
    kind: 'system',
    message: (seen: { path: string; reason: string }) => `${seen.path} gives no answer: ${seen.reason}.`,
    hint: 'Look at the log of platform up in that folder; Ctrl-C there stops it too.',
  },
  HAVN_ERR_RUN_NO_COMMAND: {
    kind: 'user',
    exit: 2,
    message: () => 'platform run needs a command after --.',
    hint: 'For example: platform run -- python manage.py createsuperuser',
  },
  HAVN_ERR_RUN_NOT_FOUND: {
    kind: 'user',
    exit: 2,
    message: (seen: { command: string }) => `There is no program "${seen.command}" in the app's environment.`,
    hint: "Check the name; programs of the app's own environment come first on its PATH.",
  },
  HAVN_ERR_TLS_PAIR: {
    kind: 'user',
    exit: 2,
    message: (seen: { certs: number; keys: number }) =>
      `--tls-cert is given ${seen.certs} times, and --tls-key ${seen.keys} times.`,
    hint: 'Give each certificate its key, in the same order: --tls-cert a.pem --tls-key a.key.',
  },
  HAVN_ERR_TLS_REDIRECT: {
    kind: 'user',
    exit: 2,
    message: () => '--redirect-from sends clients to https, and there is no certificate to speak it with.',
    hint: 'Name one: --tls-cert fullchain.pem --tls-key privkey.pem, or "tls" in platform.config.toml.',
  },
  HAVN_ERR_TLS_LOCAL: {
    kind: 'user',
    message: (seen: { directory: string; problem: string }) =>
      `No certificate could be made with the local authority in ${seen.directory}: ${seen.problem}.`,
    hint: 'Make the folder writable for you, or remove it: an authority is then made anew, for browsers to trust.',
  },
  HAVN_ERR_TLS_LOCAL_NAME: {
    kind: 'user',
    exit: 2,
    message: (seen: { name: string }) =>
      `The local authority can't vouch for ${JSON.stringify(seen.name)}: it is for names and addresses that lead nowhere on the internet.`,
    hint: 'Take a name under .localhost, .test, .local, .home.arpa or .internal, or a private address; for others name a certificate that there is.',
  },
  HAVN_ERR_TLS_SOURCES: {
    kind: 'user',
    exit: 2,
    message: () => '--tls local and --tls-cert both say which certificate is served.',
    hint: 'Leave one of them out.',
  },
  HAVN_ERR_CHECK_REFUSED: {
    kind: 'user',
    exit: 3,
    message: (seen: { level: string; findings: readonly string[] }) =>
      `What the check says reaches the level ${seen.level}: nothing was changed.\n${seen.findings
        .map((finding) => `  - ${finding}`)
        .join('\n')}`,
    hint: 'platform check shows all, and what to do; --skip-check deploys all the same.',
  },
  HAVN_ERR_CHECK_NOBODY_TO_ASK: {
    kind: 'user',
    exit: 2,
    message: () => '--fix-suggested asks about each change, and nobody is here to answer.',
    hint: 'Run it in a terminal; --fix makes the changes that need no look, anywhere.',
  },
  HAVN_ERR_SITE_URL: {
    kind: 'user',
    exit: 2,
    message: (seen: { text: string; problem: string }) =>
      `"${seen.text}" is no site to check: ${seen.problem}.`,
    hint: 'Write its address alone, such as https://example.com or http://127.0.0.1:8000/shop/.',
  },
  HAVN_ERR_FACT_UNKNOWN: {
    kind: 'user',
    exit: 2,
    message: (seen: { name: string; nearest: string | null }) =>
      `Nothing is known by the name "${seen.name}".${seen.nearest ? ` Did you mean "${seen.nearest}"?` : ''}`,
    hint: 'Run platform explain without a name to see all.',
  },
  HAVN_ERR_PROXY_UNSUPPORTED: {
    kind: 'user',
    exit: 2,
    message: (seen: {
      proxy: string
      settings: readonly { path: string; what: string; instead: string }[]
    }) =>
      `${seen.proxy} cannot do what the configuration asks for:\n${seen.settings
        .map(({ path, what, instead }) => `  - ${path}: ${what}. Instead: ${instead}.`)
        .join('\n')}`,
    hint: 'Change these settings, or take the built-in edge: proxy = "edge".',
  },
  HAVN_ERR_PROGRAM_MISSING: {
    kind: 'user',
    message: (seen: { plugin: string; program: string; install: string }) =>
      `${seen.plugin} needs the program ${seen.program}, which is not on this machine.`,
    hint: (seen: { install: string }) => `Install it: ${seen.install}.`,
  },
  HAVN_ERR_PROXY_NOTHING: {
    kind: 'user',
    exit: 2,
    message: () => 'There is nothing to serve: no upstream, no route and no static folder.',
    hint: 'Name one: platform proxy --upstream :9000, --static /static/=./public, or "edge" in platform.config.toml.',
  },
  HAVN_ERR_RELEASE_ENDED: {
    kind: 'system',
    message: (seen: { reason: string }) => `The release ended by itself: ${seen.reason}`,
    hint: 'The lines above say what the process printed last.',
  },
})
