export { AcmeManager } from './acme-manager.ts'
export type { AcmeCertificate, AcmeOptions } from './acme-manager.ts'
