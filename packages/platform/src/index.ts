export { main } from './main.ts'
export { defineConfig } from '@havn/model'
export type { PlatformConfig } from '@havn/model'
