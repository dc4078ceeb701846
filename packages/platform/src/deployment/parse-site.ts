import { errors } from '../errors.ts'

/**
 * Reads the address of a site to check: `https://example.com`, with a path where that is its first page.
 *
 * @throws HAVN_ERR_SITE_URL
 */
export function parseSite(text: string): URL {
  const url = URL.parse(text)
  const fail = (problem: string) => errors.HAVN_ERR_SITE_URL({ text: withoutCredentials(text), problem })
  if (url === null) throw fail('it is no URL')
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw fail(`${url.protocol} is neither http: nor https:`)
  if (url.username !== '' || url.password !== '') throw fail('it has a login')
  if (url.search !== '' || url.hash !== '') throw fail('it has a query or a fragment')
  return url
}

/** What is wrong is said of it; who it lets in is not. */
function withoutCredentials(text: string): string {
  return text.replace(/\/\/.*@/, '//…@').replace(/\?.*$/s, '?…')
}
