import { directive } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { map, matching } from './conf/map.ts'
import { literal, text } from './conf/text.ts'

/** Room for 65,536 clients. */
const ZONE = '8m'

/** `$havn_counted_client`: whose connection it is, empty where that is not counted. */
export function connectionVariables(connectionsPerClient: number | undefined): Directive[] {
  if (connectionsPerClient === undefined) return []
  return [
    map(
      text`$havn_trusted $realip_remote_addr`,
      'havn_counted_client',
      // Those of trusted proxies carry many clients, and those on Unix sockets are nobody's.
      [
        [matching('^1 '), literal('')],
        [matching('^0 unix:'), literal('')],
      ],
      text`$havn_client`,
    ),
    directive('limit_conn_zone', { source: '$havn_counted_client' }, `zone=havn_connections:${ZONE}`),
  ]
}

/** Holds each client to so many connections that have a request. */
export function connectionLimit(connectionsPerClient: number | undefined): Directive[] {
  if (connectionsPerClient === undefined) return []
  return [
    directive('limit_conn', 'havn_connections', connectionsPerClient),
    directive('limit_conn_status', 429),
    directive('limit_conn_log_level', 'warn'),
  ]
}
