export type { RequestRecord } from './request-record.ts'
