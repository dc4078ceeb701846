import { testRule } from '@havn/checklist/testing'
import { platformConfigSchema } from '@havn/model'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { describe, test } from 'vitest'
import { rules } from '../src/rules/index.ts'
import { cases } from './cases.ts'
import { MANAGE, SETTINGS } from './projects.ts'

const bare = await requirePart('Python without Django', () => ensurePython([]))
const django = await requirePart('Django 5.2', () => ensurePython(['Django>=5.2,<5.3']))

describe.skipIf(bare === null || django === null).each(rules.map((rule) => [rule.id, rule] as const))(
  '%s',
  (id, rule) => {
    const { isBooted = false, ...given } = cases[id] ?? {}
    const python = isBooted ? django! : bare!
    testRule(test.concurrent, rule, {
      example: SETTINGS,
      beside: MANAGE,
      passing: {},
      failing: {},
      ...given,
      platformConfig: platformConfigSchema.parse({ app: { python } }),
    })
  },
)
