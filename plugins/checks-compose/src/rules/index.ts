import type { ChecksContract } from '@havn/plugin-api'

/** All rules of this pack. */
export const rules: ChecksContract['rules'] = []
