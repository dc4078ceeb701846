/**
 * Credit in bytes that each stream starts with: `bodyWindow` and `responseWindow` of HAVN_HOST
 * (docs/reference/host-protocol.md). Whoever starts a host passes these.
 */
export const streamWindows = {
  /** Gateway to host. */
  bodyWindow: 256 * 1024,
  /** Host to gateway. */
  responseWindow: 256 * 1024,
} as const
