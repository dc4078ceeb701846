import type { ChecksContract } from '@havn/plugin-api'
import { toldOnce } from '../told-once.ts'
import * as environment from './environment.ts'
import * as images from './images.ts'
import * as lifecycle from './lifecycle.ts'
import * as limits from './limits.ts'
import * as mounts from './mounts.ts'
import * as network from './network.ts'
import * as privileges from './privileges.ts'
import * as readable from './readable.ts'

/** All rules of this pack. */
export const rules: ChecksContract['rules'] = [
  readable,
  privileges,
  mounts,
  network,
  environment,
  images,
  lifecycle,
  limits,
]
  .flatMap((module): ChecksContract['rules'] => Object.values(module))
  .map(toldOnce)
