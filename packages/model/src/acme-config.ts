import { z } from 'zod'

/** RFC 1035 §2.3.4 and RFC 1123 §2.1, of two labels or more: nobody vouches for a name without a dot. */
const DOMAIN = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i

const domainSchema = z.string().superRefine((domain, context) => {
  const message = domainProblem(domain)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
})

/** A certificate that an authority gives by ACME (RFC 8555), and renews. Paths are relative to the config file. */
export const acmeSchema = z
  .strictObject({
    /** Whom the certificate is for, all in one. Each has to lead to port 80 of this machine: http-01 proves it there. */
    domains: z.array(domainSchema).min(1).max(100).readonly(),
    /** The authority's terms of service have been agreed to (RFC 8555 §7.3.3). */
    agreeToTerms: z.literal(true, { error: 'must be true: the authority gives none to others' }),
    /** Whom the authority may write to. */
    email: z.email().optional(),
    /** The authority's directory; that of Let's Encrypt where it is absent. */
    directoryUrl: z.url({ protocol: /^https$/, error: 'must be an https URL' }).optional(),
    /** Let's Encrypt's servers for trying out: no browser trusts what they give, and their limits are wide. */
    staging: z.boolean().optional(),
    /** Folder for the account, its key and the certificates; may be shared. Absent, one in the user's data. */
    storage: z.string().min(1).optional(),
    /** The certificate's key; P-256 where it is absent. */
    keyType: z.enum(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-4096']).optional(),
    /** Share of a certificate's time that is left when it is renewed; a third where it is absent. */
    renewWhenLeft: z.number().min(0.1).max(0.9).optional(),
    /** One of the profiles that the authority offers. */
    profile: z.string().min(1).optional(),
    /** What the authority gave to bind the account to a customer (RFC 8555 §7.3.4). The file holds the key in base64url. */
    externalAccount: z.strictObject({ keyId: z.string().min(1), hmacKeyFile: z.string().min(1) }).optional(),
    /** PEM file of who vouches for the server of a private authority. */
    caFile: z.string().min(1).optional(),
  })
  .refine(({ directoryUrl, staging }) => directoryUrl === undefined || staging !== true, {
    error: 'needs either directoryUrl or staging',
  })
/** Validated settings of ACME. */
export type AcmeConfig = z.output<typeof acmeSchema>

function domainProblem(domain: string): string | undefined {
  if (domain.startsWith('*')) return 'must not be a wildcard: http-01 proves each name by itself'
  if (domain.includes(':') || /^[\d.]+$/.test(domain)) return 'must be a name, not an address'
  if (/(^|\.)localhost\.?$/i.test(domain))
    return 'must be a name of the internet: for localhost there is tls.local'
  if (!DOMAIN.test(domain)) return 'must be a domain, such as shop.example'
  return undefined
}
