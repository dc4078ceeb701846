export { AcmeManager } from './acme-manager.ts'
export type { AcmeCertificate, AcmeOptions } from './acme-manager.ts'
export type { AcmeSettings } from './acme-settings.ts'
export { challengeDirectory } from './challenge-directory.ts'
