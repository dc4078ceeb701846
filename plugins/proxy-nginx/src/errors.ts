import { defineErrors } from '@havn/model/errors'

/** Errors of a plan for nginx. */
export const errors = defineErrors({
  HAVN_ERR_NGINX_TEXT: {
    kind: 'user',
    exit: 2,
    message: (seen: { beginning: string; bytes: number }) =>
      `nginx's configuration cannot hold the text that begins with ${JSON.stringify(seen.beginning)} (${seen.bytes} bytes).`,
    hint: 'Make it shorter than 4,000 bytes, without NUL; or take the built-in edge: proxy = "edge".',
  },
})
