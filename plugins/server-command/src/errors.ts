import { defineErrors, formatAddress } from '@havn/model'
import type { Endpoint } from '@havn/model'

export const errors = defineErrors({
  HAVN_ERR_COMMAND_ENDPOINT: {
    kind: 'user',
    message: (seen: { endpoints: readonly Endpoint[] }) =>
      `A command listens on one port, but got ${seen.endpoints.map(({ address }) => formatAddress(address)).join(', ') || 'none'}.`,
    hint: 'Give it one TCP address.',
  },
})
