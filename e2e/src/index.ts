export { BrowserSession } from './browser-session.ts'
export { copyApp, examplesDirectory } from './app-copy.ts'
export { freePort } from './free-port.ts'
export { runPlatform, startPlatform, startProgram } from './platform-process.ts'
export type { FinishedProgram, RunningProgram } from './platform-process.ts'
export { processesOfGroup } from './process-group.ts'
export {
  createPackingDirectory,
  installProject,
  packFolder,
  packPackages,
  publishableNames,
  shellEnvironment,
} from '@havn/tools/packing'
export type { PackedPackage, PublishedManifest } from '@havn/tools/packing'
