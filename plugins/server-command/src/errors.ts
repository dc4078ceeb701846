import { formatAddress } from '@havn/model/address'
import { defineErrors } from '@havn/model/errors'
import type { Endpoint } from '@havn/model'

export const errors = defineErrors({
  HAVN_ERR_COMMAND_ENDPOINT: {
    kind: 'user',
    message: (seen: { endpoints: readonly Endpoint[] }) =>
      `A command listens on one port, but got ${seen.endpoints.map(({ address }) => formatAddress(address)).join(', ') || 'none'}.`,
    hint: 'Give it one TCP address.',
  },
})
