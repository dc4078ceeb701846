import { defineErrors } from '@havn/model/errors'

/** Errors of the frame codec. */
export const frameErrors = defineErrors({
  HAVN_ERR_HOST_PROTOCOL: {
    kind: 'system',
    message: (seen: { reason: string }) => `A host broke the host protocol: ${seen.reason}.`,
    hint: 'The host is replaced. If it happens again, report it: docs/reference/host-protocol.md says what is allowed.',
  },
})
