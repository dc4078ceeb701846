import { createHash, X509Certificate } from 'node:crypto'
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errors } from '../errors.ts'
import { isLocalName } from './local-names.ts'
import type { PemPair } from './make-certificate.ts'

/** A certificate that ends sooner is made anew: whoever starts a server in the morning has it for the day. */
const RENEW_BEFORE_MS = 30 * 86_400_000
/** Its own name for the file that people give to their browser, without the key. */
const CERTIFICATE_FILE = 'authority.crt'
/** Certificate and key in one file, so that no two processes can mix theirs. */
const AUTHORITY_FILE = 'authority.pem'

/** A certificate of the local authority, as files. */
export interface LocalCertificate {
  cert: string
  key: string
  /** The authority's certificate: browsers that trust it trust this one. */
  authority: string
  /** The authority did not exist before. */
  isNewAuthority: boolean
}

/**
 * Gives a certificate for these names, signed by the authority that lies in a folder. Either is made where it is not
 * there, or ends soon; processes that do so at once agree on one authority.
 *
 * @param directory private to the user; made where it is not there.
 * @throws HAVN_ERR_TLS_LOCAL_NAME for a name that is not local; HAVN_ERR_TLS_LOCAL where the folder cannot be used, or what lies there is no authority.
 */
export async function ensureLocalCertificate(
  directory: string,
  names: readonly string[],
  now = new Date(),
): Promise<LocalCertificate> {
  const foreign = names.find((name) => !isLocalName(name))
  if (foreign !== undefined) throw errors.HAVN_ERR_TLS_LOCAL_NAME({ name: foreign })
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const { pair, isNew } = await ensureAuthority(directory, now)
    await writeFile(join(directory, CERTIFICATE_FILE), pair.cert)
    const place =
      (await findLeaf(directory, pair, names, now)) ?? (await makeLeaf(directory, pair, names, now))
    return {
      cert: join(place, 'cert.pem'),
      key: join(place, 'key.pem'),
      authority: join(directory, CERTIFICATE_FILE),
      isNewAuthority: isNew,
    }
  } catch (cause) {
    throw errors.HAVN_ERR_TLS_LOCAL({ directory, problem: (cause as Error).message }, { cause })
  }
}

async function ensureAuthority(directory: string, now: Date): Promise<{ pair: PemPair; isNew: boolean }> {
  const file = join(directory, AUTHORITY_FILE)
  const before = await readAuthority(file)
  if (before !== null && lasts(before.cert, now)) return { pair: before, isNew: false }
  const { makeAuthority } = await import('./make-certificate.ts')
  const made = await makeAuthority(now)
  const draft = await mkdtemp(join(directory, 'draft-'))
  try {
    await writeFile(join(draft, AUTHORITY_FILE), made.cert + made.key, { mode: 0o600 })
    if (before !== null) await rm(file, { force: true })
    // Fails where another process was faster: its authority is the one then.
    await link(join(draft, AUTHORITY_FILE), file)
  } catch (error) {
    const theirs = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readAuthority(file) : null
    if (theirs === null) throw error
    return { pair: theirs, isNew: false }
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return { pair: made, isNew: true }
}

/** Null when there is none. */
async function readAuthority(file: string): Promise<PemPair | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  await chmod(file, 0o600)
  const [cert, key] = ['CERTIFICATE', 'PRIVATE KEY'].map(
    (label) => new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----\\n`).exec(text)?.[0],
  )
  if (cert === undefined || key === undefined) throw new Error(`${file} is not an authority`)
  return { cert, key }
}

/** The newest certificate for these names that this authority signed and that lasts. */
async function findLeaf(
  directory: string,
  authority: PemPair,
  names: readonly string[],
  now: Date,
): Promise<string | null> {
  const prefix = prefixOf(names)
  const issuer = new X509Certificate(authority.cert).publicKey
  for (const name of (await readdir(directory)).filter((entry) => entry.startsWith(prefix))) {
    const cert = await readFile(join(directory, name, 'cert.pem'), 'utf8').catch(() => null)
    if (cert !== null && lasts(cert, now) && new X509Certificate(cert).verify(issuer))
      return join(directory, name)
  }
  return null
}

async function makeLeaf(
  directory: string,
  authority: PemPair,
  names: readonly string[],
  now: Date,
): Promise<string> {
  const { makeCertificate } = await import('./make-certificate.ts')
  const { cert, key } = await makeCertificate(authority, names, now)
  const draft = await mkdtemp(join(directory, 'draft-'))
  // A folder of its own for each: a server that runs keeps the one that it has read.
  const place = join(directory, prefixOf(names) + new X509Certificate(cert).serialNumber.toLowerCase())
  try {
    await writeFile(join(draft, 'cert.pem'), cert)
    await writeFile(join(draft, 'key.pem'), key, { mode: 0o600 })
    await rename(draft, place)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
  return place
}

function prefixOf(names: readonly string[]): string {
  return `leaf-${createHash('sha256').update(names.join(' ')).digest('hex').slice(0, 16)}-`
}

function lasts(cert: string, now: Date): boolean {
  const { validFromDate, validToDate } = new X509Certificate(cert)
  return validFromDate <= now && validToDate.getTime() - now.getTime() > RENEW_BEFORE_MS
}
