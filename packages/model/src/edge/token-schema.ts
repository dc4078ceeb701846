import { z } from 'zod'

/** A name as headers and cookies have them (RFC 9110 §5.6.2). */
export const tokenSchema = z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, {
  error: 'must be a name as headers and cookies have: letters, digits, hyphens',
})
