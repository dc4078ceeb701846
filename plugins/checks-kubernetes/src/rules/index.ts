import type { ChecksContract } from '@havn/plugin-api'
import * as access from './access.ts'
import * as availability from './availability.ts'
import * as environment from './environment.ts'
import * as health from './health.ts'
import * as images from './images.ts'
import * as objects from './objects.ts'
import * as pods from './pods.ts'
import * as resources from './resources.ts'
import * as security from './security.ts'
import * as wiring from './wiring.ts'

/** All rules of this pack. */
export const rules: ChecksContract['rules'] = [
  objects,
  security,
  pods,
  resources,
  health,
  images,
  environment,
  availability,
  wiring,
  access,
].flatMap((module): ChecksContract['rules'] => Object.values(module))
