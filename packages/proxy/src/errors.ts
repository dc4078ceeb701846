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
  HAVN_ERR_CERTIFICATE_STORE: {
    kind: 'system',
    message: (seen: { path: string; reason: string }) =>
      `Certificates cannot be kept at ${seen.path}: ${seen.reason}.`,
    hint: 'Let this user write there, or name another folder for them.',
    exit: 2,
  },
  HAVN_ERR_ACME_CONFIG: {
    kind: 'user',
    message: (seen: { problems: readonly string[] }) =>
      `No certificate can be ordered by these settings: ${seen.problems.join('; ')}.`,
    hint: 'Name 1 to 100 domains that lead to this machine, without wildcards, and agree to the terms of service.',
    exit: 2,
  },
  HAVN_ERR_ACME_FILE: {
    kind: 'user',
    message: (seen: { path: string; reason: string }) =>
      `${seen.path}, which orders of certificates need, cannot be read: ${seen.reason}.`,
    hint: 'Check the path, and that this user may read it.',
    exit: 2,
  },
  HAVN_ERR_ACME_UNREACHABLE: {
    kind: 'system',
    message: (seen: { directoryUrl: string; reason: string }) =>
      `The authority at ${seen.directoryUrl} did not answer as one: ${seen.reason}.`,
    hint: 'Check the directory URL, and that this machine reaches it over https. It is tried again by itself.',
    exit: 2,
  },
  HAVN_ERR_ACME_ACCOUNT: {
    kind: 'user',
    message: (seen: { directoryUrl: string; reason: string }) =>
      `The authority at ${seen.directoryUrl} refuses the account: ${seen.reason}.`,
    hint: 'Check the email address and the external account binding, which some authorities ask for.',
    exit: 2,
  },
  HAVN_ERR_ACME_RATE_LIMITED: {
    kind: 'user',
    message: (seen: { domains: readonly string[]; reason: string }) =>
      `The authority takes no more orders for ${seen.domains.join(', ')} for now: ${seen.reason}.`,
    hint: 'Wait: it is tried again by itself. To try things out, use the staging servers.',
    exit: 2,
  },
  HAVN_ERR_ACME_DNS: {
    kind: 'user',
    message: (seen: { domains: readonly string[]; reason: string }) =>
      `The authority does not find ${seen.domains.join(', ')}: ${seen.reason}.`,
    hint: 'Let an A or AAAA record of each name lead to this machine.',
    exit: 2,
  },
  HAVN_ERR_ACME_CONNECTION: {
    kind: 'user',
    message: (seen: { domains: readonly string[]; reason: string }) =>
      `The authority does not reach ${seen.domains.join(', ')} on port 80: ${seen.reason}.`,
    hint: 'Let port 80 through to this machine, and an A or AAAA record of each name lead to it and nowhere else.',
    exit: 2,
  },
  HAVN_ERR_ACME_ANSWER: {
    kind: 'user',
    message: (seen: { domains: readonly string[]; reason: string }) =>
      `Somebody else answers the challenge for ${seen.domains.join(', ')}: ${seen.reason}.`,
    hint: 'Let the names lead here alone, and whatever stands in front pass /.well-known/acme-challenge/ on.',
    exit: 2,
  },
  HAVN_ERR_ACME_REFUSED: {
    kind: 'user',
    message: (seen: { domains: readonly string[]; reason: string }) =>
      `The authority gives no certificate for ${seen.domains.join(', ')}: ${seen.reason}.`,
    hint: 'Check the names, and their CAA records (RFC 8659).',
    exit: 2,
  },
})
