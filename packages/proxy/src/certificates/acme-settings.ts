import { readFile } from 'node:fs/promises'
import { acmeSchema, type AcmeConfig } from '@havn/model'
import { errors } from '../errors.ts'
import { ensurePrivateDirectory } from './private-files.ts'

/** `tls.acme` of the platform's configuration, with absolute paths. */
export interface AcmeSettings extends AcmeConfig {
  /** Where the account's key and certificates are kept; private to this user. */
  storage: string
}

/** What lies in the files that settings name. */
export interface AcmeSecrets {
  /** PEM of who vouches for the authority's server. */
  trusted?: string
  externalAccount?: { keyId: string; hmacKey: string }
}

/**
 * Checks all that can be before an authority is asked, and makes the storage where there is none.
 *
 * @throws HAVN_ERR_ACME_CONFIG, HAVN_ERR_ACME_FILE, HAVN_ERR_CERTIFICATE_STORE
 */
export async function ensureAcme(settings: AcmeSettings): Promise<void> {
  const { error } = acmeSchema.safeParse(settings)
  if (error !== undefined) {
    const problems = error.issues.map(({ path, message }) => `${path.join('.') || 'acme'}: ${message}`)
    throw errors.HAVN_ERR_ACME_CONFIG({ problems })
  }
  await ensurePrivateDirectory(settings.storage)
  await readSecrets(settings)
}

/** @throws HAVN_ERR_ACME_FILE */
export async function readSecrets({ caFile, externalAccount }: AcmeSettings): Promise<AcmeSecrets> {
  const [trusted, hmacKey] = await Promise.all(
    [caFile, externalAccount?.hmacKeyFile].map((file) => file && readGiven(file)),
  )
  return {
    ...(trusted && { trusted }),
    ...(externalAccount && hmacKey && { externalAccount: { keyId: externalAccount.keyId, hmacKey } }),
  }
}

async function readGiven(path: string): Promise<string> {
  try {
    const text = (await readFile(path, 'utf8')).trim()
    if (text === '') throw new Error('it is empty')
    return text
  } catch (cause) {
    throw errors.HAVN_ERR_ACME_FILE({ path, reason: (cause as Error).message }, { cause })
  }
}
