import type { ChecksContract } from '@havn/plugin-api'
import { quietInDevelopment } from '../quiet-in-development.ts'
import { addForCopy, copyBeforeDependencies, exposeSsh, workdirRelative } from './files.ts'
import { ignoreGaps } from './context.ts'
import { baseEndOfLife, digestMissing, tagLatest, tagMissing } from './image.ts'
import {
  apkVirtualKept,
  aptListsKept,
  aptRecommends,
  distUpgrade,
  npmUnpinned,
  pipCache,
  pipUnpinned,
  updateAlone,
} from './packages.ts'
import {
  curlPipeShell,
  developmentServer,
  healthcheckMissing,
  pipefail,
  shellForm,
  unknownInstruction,
} from './run.ts'
import { secretInEnv } from './secrets.ts'
import { setuid, sudo, userRoot } from './user.ts'

/** What hurts in production alone. */
const ofProduction: ChecksContract['rules'] = [
  tagMissing,
  tagLatest,
  digestMissing,
  baseEndOfLife,
  userRoot,
  sudo,
  setuid,
  addForCopy,
  workdirRelative,
  exposeSsh,
  copyBeforeDependencies,
  ignoreGaps,
  aptListsKept,
  aptRecommends,
  updateAlone,
  distUpgrade,
  apkVirtualKept,
  pipUnpinned,
  pipCache,
  npmUnpinned,
  shellForm,
  healthcheckMissing,
  pipefail,
  developmentServer,
  curlPipeShell,
]

/** All rules of this pack. */
export const rules: ChecksContract['rules'] = [
  ...ofProduction.map(quietInDevelopment),
  secretInEnv,
  unknownInstruction,
]
