import type { ChecksContract } from '@havn/plugin-api'
import { beatReplicas, connections, cpus, grace, memory, migrateEach, readOnlyRoot } from './capacity.ts'
import { exposeOther, portUnserved, probeHost, toolMissing } from './probes.ts'
import { sqliteReplicas, sqliteWithoutVolume } from './databases.ts'
import { csrfOrigins, hstsTwice, protoForged, redirectLoop, serverNameRefused } from './proxy.ts'
import { bodyLimits, keepaliveOrder, timeoutOrder } from './proxy-limits.ts'
import {
  debugInEnvironment,
  localhostInContainer,
  mediaReplicas,
  serviceUnknown,
  sessionsPerProcess,
  staticNotCollected,
  variableMissing,
} from './settings.ts'
import { versionDiffers } from './versions.ts'

/** All rules of this pack. */
export const rules: ChecksContract['rules'] = [
  probeHost,
  toolMissing,
  portUnserved,
  exposeOther,
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
  keepaliveOrder,
  grace,
  connections,
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
  versionDiffers,
]
