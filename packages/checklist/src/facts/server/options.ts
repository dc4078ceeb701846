import type { CommonOption, ServerBind, ServerCommand, ServerOption } from './server-command.ts'
import { defaultsOf } from './server-kinds.ts'

/** The option of this name that the server goes by: the last one that it is given; null where none is. */
export function optionOf(
  { options }: ServerCommand,
  name: CommonOption | (string & {}),
): ServerOption | null {
  return options.findLast((option) => option.name === name) ?? null
}

/** What the server takes an option for: what it is given, or what it does by itself; null where that is not known. */
export function valueOf(command: ServerCommand, name: CommonOption | (string & {})): string | null {
  const option = optionOf(command, name)
  return option === null ? (defaultsOf(command.server)[name] ?? null) : option.value
}

/** The same as a number; null for what is none, or not known. */
export function numberOf(command: ServerCommand, name: CommonOption | (string & {})): number | null {
  const value = valueOf(command, name)?.trim() ?? ''
  return /^-?\d{1,12}(?:\.\d+)?$/.test(value) ? Number(value) : null
}

/** A flag that is on, as the server itself or a configuration file says it. */
export function isOn(option: ServerOption | null): boolean {
  return option !== null && option.value !== null && /^(?:true|1|yes|on)$/i.test(option.value.trim())
}

/** The addresses that the server listens on; none where that is not known. */
export function bindsOf(command: ServerCommand): ServerBind[] {
  const { server, options, place } = command
  if (server === 'uwsgi')
    return options
      .filter(({ name }) => /^(?:http|https|http-socket|https-socket|socket|http11-socket)$/.test(name))
      .flatMap(parseBinds)
  if (optionOf(command, 'unix') !== null)
    return [{ host: null, port: null, place: optionOf(command, 'unix')!.place, isDefault: false }]
  const binds = options.filter(({ name }) => name === 'bind')
  // An argument puts aside what the file says.
  const chosen = binds.some(({ from }) => from === 'argument')
    ? binds.filter(({ from }) => from === 'argument')
    : binds
  if (chosen.length > 0) return chosen.flatMap(parseBinds)
  if (server === 'runserver') return runserverBinds(command)
  const defaults = defaultsOf(server)
  const [host, port] = [optionOf(command, 'host'), optionOf(command, 'port')]
  if (host !== null || port !== null) {
    const text = (port === null ? defaults['port'] : port.value) ?? ''
    const name = host === null ? (defaults['host'] ?? '*') : host.value
    if (name === null) return []
    return [
      {
        host: hostOf(name),
        port: portOf(text),
        place: (host ?? port)!.place,
        isDefault: host === null && defaults['host'] === '127.0.0.1',
      },
    ]
  }
  const value =
    defaults['bind'] ?? (defaults['host'] === undefined ? null : `${defaults['host']}:${defaults['port']}`)
  // What gunicorn binds in the presence of PORT.
  const variable = server === 'gunicorn' ? command.environment.get('PORT') : undefined
  if (variable !== undefined)
    return [{ host: '*', port: portOf(variable.value ?? ''), place: variable.place, isDefault: true }]
  return value === null ? [] : parseAddresses(value).map((bind) => ({ ...bind, place, isDefault: true }))
}

function runserverBinds({ place, options, app }: ServerCommand): ServerBind[] {
  const word = options.find(({ name }) => name === 'addrport') ?? app
  if (word?.value == null) return [{ host: '127.0.0.1', port: 8000, place, isDefault: true }]
  const isPort = /^\d+$/.test(word.value)
  const text = isPort ? `127.0.0.1:${word.value}` : word.value.replace(/^0:/, '0.0.0.0:')
  return parseAddresses(text).map((bind) => ({ ...bind, place: word.place, isDefault: isPort }))
}

function parseBinds({ value, place }: ServerOption): ServerBind[] {
  return value === null ? [] : parseAddresses(value).map((bind) => ({ ...bind, place, isDefault: false }))
}

/** `0.0.0.0:8000`, `:8000`, `[::]:8000`, `unix:/run/app.sock`, `127.0.0.1`; several with commas. */
function parseAddresses(text: string): Pick<ServerBind, 'host' | 'port'>[] {
  return text
    .split(',')
    .map((each) => each.trim().replace(/^(?:https?|tcp):(?:\/\/)?/, ''))
    .filter((each) => each !== '')
    .map((each) => {
      if (/^unix:|\//.test(each) || /\.sock$/.test(each)) return { host: null, port: null }
      if (/^fd:/.test(each)) return { host: null, port: null }
      const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(each)
      if (match === null) return { host: hostOf(each), port: null }
      if (match[2] === undefined && /^\d+$/.test(match[1]!)) return { host: '*', port: portOf(match[1]!) }
      return { host: hostOf(match[1]!), port: match[2] === undefined ? null : portOf(match[2]) }
    })
}

function hostOf(text: string): string {
  const host = text.replace(/^\[|\]$/g, '')
  return host === '' || host === '0.0.0.0' || host === '::' || host === '0' ? '*' : host
}

function portOf(text: string): number | null {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : null
}

/** An address that only the machine, or the container, itself reaches. */
export function isLoopback({ host }: ServerBind): boolean {
  return host !== null && /^(?:127\.\d+\.\d+\.\d+|localhost|::1)$/i.test(host)
}
