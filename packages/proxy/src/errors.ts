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
  HAVN_ERR_EDGE_ROUTE: {
    kind: 'user',
    message: (seen: { route: string; problem: string }) => `${seen.route} makes no sense: ${seen.problem}.`,
    hint: 'Correct the route; the README of @havn/proxy shows what goes together.',
    exit: 2,
  },
  HAVN_ERR_EDGE_UPSTREAM_UNKNOWN: {
    kind: 'user',
    message: (seen: { route: string; upstream: string; nearest: string | null; names: readonly string[] }) =>
      `${seen.route} leads to the upstream "${seen.upstream}", which is not among the upstreams.`,
    hint: (seen: { upstream: string; nearest: string | null; names: readonly string[] }) =>
      seen.nearest !== null
        ? `Write "${seen.nearest}", or add "${seen.upstream}" to upstreams.`
        : `Add "${seen.upstream}" to upstreams${seen.names.length > 0 ? `, or name one of ${seen.names.join(', ')}` : ''}.`,
    exit: 2,
  },
  HAVN_ERR_EDGE_ROUTES_OVERLAP: {
    kind: 'user',
    message: (seen: { one: string; other: string; match: string }) =>
      `${seen.one} and ${seen.other} are both for the same requests (${seen.match}), and neither is more specific.`,
    hint: 'Remove one, or tell them apart by host, path, method or header.',
    exit: 2,
  },
})
