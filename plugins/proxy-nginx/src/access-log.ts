import { join } from 'node:path/posix'
import type { ProcessSpecInput } from '@havn/model'
import type { ServerSettings } from '@havn/plugin-api'
import { directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { map, matching } from './conf/map.ts'
import type { MapEntry } from './conf/map.ts'
import { literal, script, text } from './conf/text.ts'

const FORMAT = 'havn'

/** The file that nginx writes requests to: it can write to no pipe without waiting for whoever reads it. */
export function accessLogFile(folder: string): string {
  return join(folder, 'access.log')
}

/** What nginx writes of each request, and where. */
export function accessLogDirectives(folder: string, log: ServerSettings['log']): Directive[] {
  if (!log.access) return [directive('access_log', 'off')]
  const isJson = log.access !== 'combined' && log.format === 'json'
  return [
    map(
      text`$http_referer`,
      'havn_referring_page',
      [[literal(''), '-'], ...(log.accessQuery ? [] : [withoutQuery])],
      text`$http_referer`,
    ),
    directive('log_format', FORMAT, ...(isJson ? ['escape=json'] : []), script(lineOf(log))),
    directive('access_log', accessLogFile(folder), FORMAT),
  ]
}

const withoutQuery: MapEntry = [matching('^(?<havn_referring>[^?#]*)'), text`$havn_referring`]

/** A request as a line; without the query, which carries tokens and personal data, unless it is asked for. */
function lineOf({ access, accessQuery, format }: ServerSettings['log']): string {
  const path = accessQuery ? '$request_uri' : '$havn_path'
  if (access === 'combined')
    return (
      `$remote_addr - $remote_user [$time_local] "$request_method ${path} $server_protocol" ` +
      '$status $body_bytes_sent "$havn_referring_page" "$http_user_agent"'
    )
  if (format === 'text')
    return `$remote_addr "$request_method ${path}" $status $body_bytes_sent $request_time`
  return (
    `{"level":30,"time":"$time_iso8601","event":"request","method":"$request_method","path":"${path}",` +
    '"status":$status,"durationS":$request_time,"bytes":$body_bytes_sent,"client":"$remote_addr",' +
    '"requestId":"$havn_trusted_x_request_id"}'
  )
}

/** The process that prints that file, and keeps it short. */
export function accessLogPrinter(folder: string, log: ServerSettings['log']): ProcessSpecInput[] {
  if (!log.access) return []
  return [
    {
      id: 'access-log',
      program: { type: 'node', module: printerModule() },
      args: [accessLogFile(folder)],
      logs: { format: log.access === 'combined' ? 'text' : log.format },
    },
  ]
}

/** Runs from sources and from a build: the extension is this module's own. */
function printerModule(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./print-log/main.${extension}`, import.meta.url).href
}
