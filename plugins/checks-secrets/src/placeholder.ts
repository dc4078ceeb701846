/** Put in from elsewhere when the file is used: `${NAME}`, `$NAME`, `{{ name }}`, `%(name)s`, `<name>`, `{name}`, `%s`. */
const PUT_IN =
  /^\$|\$\{|\$\(|\{\{|%\(|%[sd]|^<.*>?$|^\{.*\}?$|^\[.*\]$|^@|^%\w+%$|^#\{|^process\.env|^os\.environ|^env[.(]/
/** What people write where a value is to come. */
const TOLD =
  /change.?(?:me|this|it)|example|placeholder|your|insert|replace|redacted|removed|dummy|sample|fake|mock|todo|fixme|foobar|xxx|\*\*\*|\.\.\.|not.?(?:a.?)?(?:real|secret|secure)|insecure|default|s[ue]cret.?(?:key|password|token)?$|^(?:[a-z]+[-_]?)?passw(?:or)?d\d{0,4}$|test|demo|local|123456|abcdef|qwerty/i
/** What opens nothing but a database on one's own machine. */
const WEAK = new Set(
  'admin app changeit dbpass dbuser dev development django guest letmein mongo mysql none null pass postgres pw rabbitmq redis root toor true false user username'.split(
    ' ',
  ),
)

/** Says whether a value only stands where a secret is to come. Doubt is in favour of whoever wrote it. */
export function isPlaceholder(value: string): boolean {
  const text = value.trim()
  return (
    text === '' || PUT_IN.test(text) || TOLD.test(text) || WEAK.has(text.toLowerCase()) || isMonotone(text)
  )
}

/** `aaaa`, `0000-0000`: no more than two different letters or digits. */
function isMonotone(text: string): boolean {
  return new Set(text.replaceAll(/[^\p{L}\p{N}]/gu, '')).size <= 2
}

/** Bits for each character, by how often each one is there (Shannon). */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}
