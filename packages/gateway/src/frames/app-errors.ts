import { defineErrors } from '@havn/model/errors'

/**
 * Mistakes of an app that a host sees and tells of in LOG frames: the host writes the sentence, these are the
 * codes and what to change. With them comes HAVN_ERR_APP_THREW, which apps in JavaScript have too.
 */
export const appErrors = defineErrors({
  HAVN_ERR_APP_WSGI_BODY: {
    kind: 'user',
    message: (seen: { verb: string; type: string }) =>
      `The WSGI app ${seen.verb} ${seen.type}, where PEP 3333 asks for an iterable of bytes.`,
    hint: 'Return a list of bytes, such as [text.encode("utf-8")].',
  },
  HAVN_ERR_APP_WSGI_START_RESPONSE: {
    kind: 'user',
    message: () => 'The WSGI app gave a body but never called start_response (PEP 3333).',
    hint: 'Call start_response(status, headers) before the first bytes of the body.',
  },
  HAVN_ERR_APP_ASGI_INCOMPLETE: {
    kind: 'user',
    message: (seen: { what: string }) => `The ASGI app returned and ${seen.what}.`,
    hint: 'Send http.response.start, then http.response.body until more_body is false, before the app returns.',
  },
  HAVN_ERR_APP_CONTENT_LENGTH: {
    kind: 'user',
    message: (seen: { sent: number; declared: number }) =>
      `The app sent ${seen.sent} bytes of body and declared a Content-Length of ${seen.declared}.`,
    hint: 'Declare the length of the encoded body, or leave Content-Length out. Surplus bytes are cut off; a short response breaks off.',
  },
  HAVN_ERR_APP_HOP_BY_HOP: {
    kind: 'user',
    message: (seen: { header: string }) =>
      `The app sent the hop-by-hop header ${seen.header}, which is the server's affair: it is left out.`,
    hint: 'Leave it out of the app: PEP 3333 and RFC 9110 section 7.6.1 keep it to the server.',
  },
  HAVN_ERR_APP_LIFESPAN_RAISED: {
    kind: 'user',
    message: (seen: { exception: string }) =>
      `The app raised an exception in its lifespan: ${seen.exception}`,
    hint: 'Correct the startup or shutdown code that the traceback shows.',
  },
  HAVN_ERR_APP_REQUEST_BODY: {
    kind: 'system',
    message: (seen: { error: string }) => `The body cannot be read: ${seen.error}.`,
    hint: 'The spool file of the body was gone: see that nothing empties the run directory.',
  },
})
