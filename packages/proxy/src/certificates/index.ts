export { AcmeManager, challengeDirectory } from './acme-manager.ts'
export type { AcmeCertificate, AcmeOptions } from './acme-manager.ts'
