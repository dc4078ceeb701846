export { ensureInstalledPlatform } from './installed-platform.ts'
export {
  createPackingDirectory,
  installProject,
  packFolder,
  packPackages,
  publishableNames,
  shellEnvironment,
} from './packed-packages.ts'
export type { PackedPackage, PublishedManifest } from './packed-packages.ts'
