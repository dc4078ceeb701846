import { defineErrors } from '@havn/model/errors'

/** The errors of the edge. */
export const errors = defineErrors({
  HAVN_ERR_EDGE_CONFIG: {
    kind: 'user',
    message: (seen: { path: string; problem: string }) =>
      `The edge's configuration is wrong at ${seen.path}: ${seen.problem}`,
    hint: 'Correct that key; the README of @havn/proxy shows them all.',
    exit: 2,
  },
})
