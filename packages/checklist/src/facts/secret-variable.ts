const SECRET_NAME =
  /(?:^|_)(?:api_?key|auth|credentials?|key|password|passwd|pword|secret|token|pgpassword|dsn)(?:_|$)|secret_?key|_(?:pass|pwd)$/i
const PUBLIC_NAME =
  /(?:^|_)(?:public|pub|publishable|file|path|dir|name|id|host|header|headers|expir\w*|lifetime|length|size|count|limit|max|min|ttl|timeout|algorithm|url|type|enabled?|disabled?|method|prefix|backend|provider|class|policy|mode|role|topology|version|gpg|pgp|fingerprint|user|username|email|port|validat\w*)(?:_|$)|(?:uwsgi|fastcgi|scgi)_pass$|^(?:vite|next_public|react_app|nuxt_public)_/i
/** With a password in it. */
const URL = /^[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:([^\s/@]+)@/i
const PUT_IN = /^\$|^\{\{|^<.*>$|^%\w+%$/
const NO_SECRET = /^(?:|true|false|yes|no|on|off|none|null|\d{1,4}|\/.*|\.\/.*)$/i

/**
 * Whether a variable of an environment holds a secret, by its name, or a password in its URL. A value that is put in from
 * elsewhere (`$NAME`, `<value>`) is none; neither are switches, numbers and paths.
 */
export function isSecretVariable(name: string, value: string): boolean {
  const inUrl = URL.exec(value)?.[1] ?? null
  if (inUrl !== null) return !PUT_IN.test(inUrl)
  return isSecretName(name) && !PUT_IN.test(value) && !NO_SECRET.test(value.trim())
}

/** Whether a variable of this name holds a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !PUBLIC_NAME.test(name)
}
