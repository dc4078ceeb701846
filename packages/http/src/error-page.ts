import { createHash } from 'node:crypto'

/** What a page says of an error. */
export interface ErrorPageInput {
  status: number
  /** The status's own words. */
  title: string
  /** A sentence for anyone to read. */
  message: string | undefined
  requestId: string | undefined
}

const STYLE =
  ':root{color-scheme:light dark;--ground:#f7f7f5;--ink:#22262b;--faint:#6a7078;--line:#dcdcd6}' +
  '@media(prefers-color-scheme:dark){:root{--ground:#16191d;--ink:#e4e6e8;--faint:#969da5;--line:#30363c}}' +
  '*{box-sizing:border-box}' +
  'body{margin:0;min-height:100vh;display:grid;place-items:center;padding:2rem;background:var(--ground);' +
  'color:var(--ink);font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}' +
  'main{width:100%;max-width:34rem}' +
  'p{margin:0 0 1rem}.status{margin:0;color:var(--faint);font-variant-numeric:tabular-nums}' +
  'h1{margin:0 0 1rem;font-size:1.75rem;line-height:1.25;font-weight:600}' +
  'footer{margin-top:2rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--faint);font-size:.875rem;' +
  'overflow-wrap:anywhere}code{font:inherit;font-family:ui-monospace,Menlo,Consolas,monospace}'

/** Lets nothing in but the page's own style, which its hash names: it needs no exception from anyone's policy. */
export const errorPagePolicy: string =
  `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; ` +
  `base-uri 'none'; form-action 'none'`

/** What to tell people, where whoever made the error said nothing: nothing of how the site is made. */
const WORDS: Readonly<Record<number, string>> = {
  400: 'The request could not be understood.',
  401: 'You need to sign in to see this.',
  403: 'You are not allowed to see this.',
  404: 'There is nothing at this address.',
  405: 'This address does not take such a request.',
  408: 'The request took too long to arrive.',
  413: 'What was sent is too large.',
  414: 'The address is too long.',
  429: 'There were too many requests. Please wait a moment, then try again.',
  500: 'Something went wrong on our side.',
  502: 'The site could not answer. Please try again in a moment.',
  503: 'The site is busy or not available right now. Please try again in a moment.',
  504: 'The site took too long to answer. Please try again in a moment.',
}

/** A whole page: no scripts, no links, nothing to load, light or dark as the reader's system is. */
export function formatErrorPage({ status, title, message, requestId }: ErrorPageInput): string {
  const words = message ?? WORDS[status]
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n' +
    '<meta name="viewport" content="width=device-width,initial-scale=1">\n' +
    '<meta name="robots" content="noindex">\n' +
    `<title>${escapeHtml(title)}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<main>\n` +
    `<p class="status">${status}</p>\n<h1>${escapeHtml(title)}</h1>\n` +
    (words === undefined ? '' : `<p>${escapeHtml(words)}</p>\n`) +
    (requestId === undefined ? '' : `<footer>Request <code>${escapeHtml(requestId)}</code></footer>\n`) +
    '</main>\n</body>\n</html>\n'
  )
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
