import type { ChecksContract } from '@havn/plugin-api'
import { beatReplicas, cpus, grace, memory, migrateEach, readOnlyRoot } from './capacity.ts'
import { connections, poolTooSmall } from './connections.ts'
import { sqlTimeouts } from './sql-timeouts.ts'
import { exposeOther, portUnserved, probeHost, toolMissing } from './probes.ts'
import { sqliteReplicas, sqliteWithoutVolume } from './databases.ts'
import { csrfOrigins, hstsTwice, protoForged, redirectLoop, serverNameRefused } from './proxy.ts'
import { servedElsewhere, staticHidden, staticNotCollected } from './files.ts'
import { privilegedPort, proxyTarget, servicePort } from './ports.ts'
import { bodyLimits, keepaliveOrder, timeoutOrder } from './proxy-limits.ts'
import {
  debugInEnvironment,
  localhostInContainer,
  mediaReplicas,
  serviceUnknown,
  sessionsPerProcess,
  variableMissing,
} from './settings.ts'
import { versionDiffers } from './versions.ts'

/** All rules of this pack. */
export const rules: ChecksContract['rules'] = [
  probeHost,
  toolMissing,
  portUnserved,
  exposeOther,
  servicePort,
  proxyTarget,
  privilegedPort,
  debugInEnvironment,
  variableMissing,
  localhostInContainer,
  serviceUnknown,
  protoForged,
  redirectLoop,
  csrfOrigins,
  serverNameRefused,
  hstsTwice,
  bodyLimits,
  timeoutOrder,
  sqlTimeouts,
  keepaliveOrder,
  grace,
  connections,
  poolTooSmall,
  memory,
  cpus,
  readOnlyRoot,
  migrateEach,
  beatReplicas,
  sqliteReplicas,
  sqliteWithoutVolume,
  sessionsPerProcess,
  mediaReplicas,
  staticNotCollected,
  servedElsewhere,
  staticHidden,
  versionDiffers,
]
