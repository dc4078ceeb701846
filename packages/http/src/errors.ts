import { defineErrors } from '@havn/model/errors'

/** The errors of the listener. */
export const errors = defineErrors({
  HAVN_ERR_HTTP_TRUSTED_PROXY: {
    kind: 'user',
    message: (seen: { entry: string }) => `"${seen.entry}" is not an address or a CIDR of a proxy.`,
    hint: 'Write an IP address (10.0.0.7), a CIDR (10.0.0.0/8, fd00::/8), or `unix` for peers on a Unix socket.',
    exit: 2,
  },
  HAVN_ERR_HTTP_PROXY_HEADER: {
    kind: 'user',
    message: (seen: { peer: string; reason: string }) =>
      `A connection from ${seen.peer} was closed for want of a PROXY protocol header: ${seen.reason}.`,
    hint: 'Switch the PROXY protocol on at that proxy, or take its address out of proxyProtocol.',
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
  HAVN_ERR_HTTP_TLS_FILE: {
    kind: 'user',
    message: (seen: { file: string; reason: string }) =>
      `The certificate or key in ${seen.file} cannot be used: ${seen.reason}.`,
    hint: 'Name a PEM file that this user may read: the certificate with its chain, or its key without a passphrase.',
    exit: 2,
  },
  HAVN_ERR_HTTP_TLS_KEY: {
    kind: 'user',
    message: (seen: { cert: string; key: string }) =>
      `The key in ${seen.key} is not the one of the certificate in ${seen.cert}.`,
    hint: 'Name the key that the certificate was requested with; the server’s certificate comes first in its file.',
    exit: 2,
  },
  HAVN_ERR_HTTP_TLS_NAMES: {
    kind: 'user',
    message: (seen: { cert: string; names: readonly string[]; missing: readonly string[] }) =>
      `The certificate in ${seen.cert} is for ${seen.names.join(', ') || 'no name'}, and not for ${seen.missing.join(', ')}.`,
    hint: 'Name the certificate that is for these names, or request one; or correct its list of names.',
    exit: 2,
  },
  HAVN_ERR_HTTP_TLS_EXPIRED: {
    kind: 'user',
    message: (seen: { cert: string; from: string; to: string }) =>
      `The certificate in ${seen.cert} is valid from ${seen.from} to ${seen.to}, and not now.`,
    hint: 'Renew the certificate, or set this machine’s clock.',
    exit: 2,
  },
})
