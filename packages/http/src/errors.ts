import { defineErrors } from '@havn/model/errors'

/** The errors of the listener. */
export const errors = defineErrors({
  HAVN_ERR_HTTP_TRUSTED_PROXY: {
    kind: 'user',
    message: (seen: { entry: string }) => `"${seen.entry}" is not an address or a CIDR of a trusted proxy.`,
    hint: 'Write an IP address (10.0.0.7), a CIDR (10.0.0.0/8, fd00::/8), or `unix` for peers on a Unix socket.',
    exit: 2,
  },
  HAVN_ERR_HTTP_BODY_TOO_LARGE: {
    kind: 'user',
    message: (seen: { maxBytes: number }) => `The request's body is larger than ${seen.maxBytes} bytes.`,
    hint: 'Send less, or raise limits.maxBodyBytes.',
    status: 413,
  },
  HAVN_ERR_HTTP_SLOW_BODY: {
    kind: 'user',
    message: (seen: { stallMs: number; minBytesPerS: number }) =>
      `A client sent less than ${seen.minBytesPerS} bytes a second of its request's body for ${seen.stallMs} ms.`,
    hint: 'Lower limits.minBytesPerS, or raise timeouts.stallMs (0 is no limit), if such clients are yours.',
    status: 408,
  },
  HAVN_ERR_HTTP_SLOW_READER: {
    kind: 'user',
    message: (seen: { stallMs: number; minBytesPerS: number }) =>
      `A client took less than ${seen.minBytesPerS} bytes a second of what was sent to it for ${seen.stallMs} ms.`,
    hint: 'Lower limits.minBytesPerS, or raise timeouts.stallMs (0 is no limit), if such clients are yours.',
  },
})
