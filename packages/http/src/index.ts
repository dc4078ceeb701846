export type { RequestTarget } from './request-target.ts'
