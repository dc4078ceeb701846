import { entropyOf, isPlaceholder } from '../placeholder.ts'

/** A form that secrets have, wherever they are. */
export interface SecretPattern {
  kind: 'private-key' | 'cloud-key' | 'service-token' | 'url-password' | 'jwt' | 'literal'
  /** For people: `A token of GitHub`. */
  name: string
  /** Text that has none of these has none of its form: told at a fraction of what the pattern costs. */
  hints: readonly string[]
  /** With the flag `g`; a group named `value` is the secret, where the whole match is not. */
  pattern: RegExp
  /** Judges a match that the form alone does not decide. */
  isReal?: (match: RegExpExecArray) => boolean
}

const looksRandom = ({ 0: text, groups }: RegExpExecArray) => {
  const value = groups?.['value'] ?? text
  return !isPlaceholder(value) && entropyOf(value) >= 3
}

function token(name: string, hint: string | readonly string[], pattern: RegExp): SecretPattern {
  return { kind: 'service-token', name, hints: [hint].flat(), pattern, isReal: looksRandom }
}

/** Anchored by prefixes that their services chose to be found by. */
export const patterns: readonly SecretPattern[] = [
  {
    kind: 'private-key',
    name: 'A private key',
    hints: ['PRIVATE KEY'],
    // Two lines of base64 at least: a header alone is in code that looks for one.
    pattern:
      /-----BEGIN (?:RSA |EC |DSA |OPENSSH |PGP )?PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr]|["'+,]){1,64}(?:[\w-]+: [^\n]{0,200}(?:\n|\\n))*(?:\s|\\[nr])*[A-Za-z0-9+/=]{30,}/g,
    isReal: ({ 0: text }) => !text.includes('ENCRYPTED') && entropyOf(text.slice(-30)) >= 3,
  },
  {
    kind: 'private-key',
    name: 'A private key of PuTTY',
    hints: ['PuTTY-User-Key-File'],
    pattern: /PuTTY-User-Key-File-\d: [^\n]+\r?\nEncryption: none/g,
  },
  {
    kind: 'private-key',
    name: 'A private key of age',
    hints: ['AGE-SECRET-KEY-'],
    pattern: /AGE-SECRET-KEY-1[0-9A-Z]{58}/g,
    isReal: looksRandom,
  },
  {
    kind: 'cloud-key',
    name: 'An access key of AWS',
    hints: ['AKIA', 'ASIA'],
    pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
    isReal: looksRandom,
  },
  {
    kind: 'cloud-key',
    name: 'A secret access key of AWS',
    hints: ['aws_secret', 'AWS_SECRET', 'awsSecret', 'SecretAccessKey'],
    pattern:
      /(?:aws_?secret_?(?:access_?)?key|SecretAccessKey)["']?\s{0,4}[:=]{1,2}\s{0,4}["']?(?<value>[A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])/gi,
    isReal: looksRandom,
  },
  {
    kind: 'cloud-key',
    name: 'A key of a service account of Google Cloud',
    hints: ['private_key_id'],
    pattern: /"private_key_id":\s{0,8}"(?<value>[0-9a-f]{40})"/g,
    isReal: looksRandom,
  },
  {
    kind: 'cloud-key',
    name: 'A key of a storage account of Azure',
    hints: ['AccountKey='],
    pattern: /AccountKey=(?<value>[A-Za-z0-9+/]{86}==)/g,
    // The emulator's own is in its documentation.
    isReal: (match) =>
      looksRandom(match) && !match[0].includes('Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6'),
  },
  {
    ...token('A token of DigitalOcean', ['dop_v1_', 'doo_v1_', 'dor_v1_'], /\bdo[opr]_v1_[a-f0-9]{64}\b/g),
    kind: 'cloud-key',
  },
  token(
    'A token of GitHub',
    ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    /\b(?:gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{82})\b/g,
  ),
  token('A token of GitLab', 'glpat-', /\bglpat-[\w-]{20,64}\b/g),
  token('A token of Slack', 'xox', /\bxox[abeprs]-[0-9A-Za-z-]{20,200}/g),
  token(
    'A webhook of Slack',
    'hooks.slack.com',
    /hooks\.slack\.com\/services\/(?<value>T\w{8,12}\/B\w{8,12}\/\w{24})/g,
  ),
  token('A live key of Stripe', 'k_live_', /\b[rs]k_live_[0-9A-Za-z]{24,120}\b/g),
  token('A key of SendGrid', 'SG.', /\bSG\.[\w-]{22}\.[\w-]{43}\b/g),
  token('A token of npm', 'npm_', /\bnpm_[A-Za-z0-9]{36}\b/g),
  token('A token of PyPI', 'pypi-AgEI', /\bpypi-AgEIcHlwaS5vcmc[\w-]{50,1000}/g),
  token('A key of OpenAI', 'T3BlbkFJ', /\bsk-(?:[\w-]{20,100}T3BlbkFJ[\w-]{20,100})/g),
  token('A key of Anthropic', 'sk-ant-', /\bsk-ant-(?:api|admin)\d\d-[\w-]{80,120}/g),
  token('A token of Shopify', 'shp', /\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b/g),
  token('A token of a Telegram bot', ':AA', /\b[0-9]{8,10}:AA[\w-]{33}\b/g),
  token('A token of Docker Hub', 'dckr_pat_', /\bdckr_pat_[\w-]{27}\b/g),
  token('A token of Hugging Face', 'hf_', /\bhf_[A-Za-z]{34}\b/g),
  token('A token of Vault', 'hvs.', /\bhvs\.[\w-]{90,120}/g),
  token('A key of Linear', 'lin_api_', /\blin_api_[A-Za-z0-9]{40}\b/g),
  token('A token of Databricks', 'dapi', /\bdapi[a-f0-9]{32}\b/g),
  token('A token of Sentry', 'sntrys_', /\bsntrys_eyJ[\w+/=-]{60,400}/g),
  {
    kind: 'url-password',
    name: 'A password in a URL',
    hints: ['://'],
    pattern:
      /:\/\/(?<user>[^\s:/@"'`<>()[\]{}]{0,80}):(?<value>[^\s:/@"'`<>()[\]]{3,200})@(?<host>[\w.-]{1,253})/g,
    isReal: isForeignPassword,
  },
  {
    kind: 'jwt',
    name: 'A JSON Web Token',
    hints: ['eyJ'],
    pattern: /\beyJ[\w-]{15,400}\.eyJ[\w-]{15,4000}\.(?<value>[\w-]{20,700})(?![\w.-])/g,
    isReal: isOpenToken,
  },
  {
    kind: 'literal',
    name: 'A secret in the text',
    hints: [
      'ecret',
      'SECRET',
      'oken',
      'TOKEN',
      'assw',
      'PASSW',
      'pi_key',
      'piKey',
      'pikey',
      'API_KEY',
      'APIKEY',
    ],
    pattern:
      /(?:secret|token|passw(?:or)?d|api_?key)(?:_?key)?["']?\s{0,4}(?::=|=>|[:=])\s{0,4}(?<quote>["'])(?<value>[^\s"'`]{12,200})\k<quote>/gi,
    isReal: isRandomLiteral,
  },
]

/** Opens something that others reach: not the compose file's own database, not the machine of whoever runs it. */
function isForeignPassword({ groups }: RegExpExecArray): boolean {
  const { user = '', value = '', host = '' } = groups!
  if (isPlaceholder(value) || value === user || isPlaceholder(host)) return false
  return (
    host.includes('.') &&
    !/^(?:127\.|0\.0\.0\.0|10\.0\.2\.2)|\.(?:local|localhost|internal|private|intranet|corp|lan|test|invalid)$/i.test(
      host,
    )
  )
}

/** Signed, and not the public half that a browser gets anyway (Supabase's `anon`); one that is over opens nothing. */
function isOpenToken({ 0: text }: RegExpExecArray): boolean {
  const [head, claims] = text.split('.').slice(0, 2).map(decodePart)
  if (typeof head?.['alg'] !== 'string' || claims === undefined || claims === null) return false
  if (/^none$/i.test(head['alg']) || claims['role'] === 'anon' || claims['name'] === 'John Doe') return false
  return typeof claims['exp'] !== 'number' || claims['exp'] * 1000 > Date.now()
}

function decodePart(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null
  } catch {
    return null
  }
}

/** No word, no path, no name of a setting: letters and digits as chance has them. */
function isRandomLiteral({ groups }: RegExpExecArray): boolean {
  const { value = '' } = groups!
  if (
    isPlaceholder(value) ||
    /^[A-Za-z]+(?:[-_./: ][A-Za-z]+)*$/.test(value) ||
    /^(?:\w+\.)+\w+\(?/.test(value)
  )
    return false
  return /\d/.test(value) && /[A-Za-z]/.test(value) && entropyOf(value) >= 3.5
}
