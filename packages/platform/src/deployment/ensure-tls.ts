import { homedir } from 'node:os'
import { join } from 'node:path'
import type { TlsSettings } from '@havn/plugin-api'
import type { Terminal } from '../cli/terminal.ts'
import { assertCertificates, type TlsPlan } from './tls-settings.ts'

/**
 * Makes TLS as it was planned ready to be spoken: certificates that are there are checked, before minutes of installing,
 * and one of the local authority is made where it is not there yet. People learn how to trust a new authority.
 *
 * @throws HAVN_ERR_TLS_LOCAL, HAVN_ERR_TLS_LOCAL_NAME, and as `assertCertificates`
 */
export async function ensureTls(
  plan: TlsPlan | undefined,
  terminal: Terminal,
): Promise<TlsSettings | undefined> {
  if (plan === undefined) return undefined
  const { localNames, ...settings } = plan
  if (localNames === undefined) {
    assertCertificates(settings)
    return settings
  }
  const { ensureLocalCertificate } = await import('../certificates/local-authority.ts')
  const local = await ensureLocalCertificate(localAuthorityDirectory(process.env), localNames)
  if (local.isNewAuthority) terminal.stderr.write(trustAdvice(local.authority))
  return { ...settings, certificates: [{ cert: local.cert, key: local.key }] }
}

/** Where the authority lies: beside the user's other data (XDG Base Directory Specification). */
export function localAuthorityDirectory(environment: NodeJS.ProcessEnv): string {
  const data = environment['XDG_DATA_HOME'] || join(environment['HOME'] || homedir(), '.local/share')
  return join(data, 'havn', 'local-authority')
}

function trustAdvice(authority: string): string {
  return `An authority for certificates of this machine was made. Browsers warn until they trust it: import
  ${authority}
among their authorities, or try  curl --cacert ${authority}
It can only sign for names and addresses of no one else on the internet. Its key lies beside it: never share that.
`
}
