import { join } from 'node:path'
import type { TlsSettings } from '@havn/plugin-api'
import { ensureAcme } from '@havn/proxy'
import type { Terminal } from '../cli/terminal.ts'
import { dataDirectory } from './data-directory.ts'
import { assertCertificates, type TlsPlan } from './tls-settings.ts'

const NO_PLAIN_HTTP = `tls.acme: nothing here answers over plain HTTP, where the authority looks. Name redirectFrom = "0.0.0.0:80" in
tls, or let what stands in front lead port 80 of each domain here.
`

/**
 * Makes TLS as it was planned ready to be spoken: certificates that are there are checked, before minutes of installing,
 * and one of the local authority is made where it is not there yet. People learn how to trust a new authority.
 *
 * Nobody is asked for a certificate yet: whoever is the door does that, once it answers challenges.
 *
 * @throws HAVN_ERR_TLS_LOCAL, HAVN_ERR_TLS_LOCAL_NAME, HAVN_ERR_ACME_FILE, HAVN_ERR_CERTIFICATE_STORE, and as `assertCertificates`
 */
export async function ensureTls(
  plan: TlsPlan | undefined,
  terminal: Terminal,
): Promise<TlsSettings | undefined> {
  if (plan === undefined) return undefined
  const { localNames, ...settings } = plan
  if (settings.acme !== undefined) {
    await ensureAcme(settings.acme)
    if (settings.redirectFrom.length === 0) terminal.stderr.write(NO_PLAIN_HTTP)
    return settings
  }
  if (localNames === undefined) {
    assertCertificates(settings)
    return settings
  }
  const { ensureLocalCertificate } = await import('../certificates/local-authority.ts')
  const local = await ensureLocalCertificate(localAuthorityDirectory(process.env), localNames)
  if (local.isNewAuthority) terminal.stderr.write(trustAdvice(local.authority))
  return { ...settings, certificates: [{ cert: local.cert, key: local.key }] }
}

/** Where the authority lies. */
export function localAuthorityDirectory(environment: NodeJS.ProcessEnv): string {
  return join(dataDirectory(environment), 'local-authority')
}

function trustAdvice(authority: string): string {
  return `An authority for certificates of this machine was made. Browsers warn until they trust it: import
  ${authority}
among their authorities, or try  curl --cacert ${authority}
It can only sign for names and addresses of no one else on the internet. Its key lies beside it: never share that.
`
}
