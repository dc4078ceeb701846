import type { SiteAnswer } from './parse-answer.ts'
import { headerValue } from './site-probe.ts'

/** What a page loads. */
export interface PageLinks {
  /** Scripts and style sheets of the same origin: their paths. */
  assets: readonly string[]
  /** What is loaded over plain HTTP: `script http://…`. */
  plain: readonly { element: string; url: string }[]
}

const TAG =
  /<(?<element>script|link|img|iframe|video|audio|source|object|embed)\b(?<attributes>[^>]{0,2000})>/gi
const SOURCE = /\b(?:src|href|data)\s*=\s*(?:"(?<double>[^"]*)"|'(?<single>[^']*)'|(?<bare>[^\s"'>]+))/i
const MAX_TAGS = 2_000

/** Reads the tags of a page, as far as it came; what is no HTML loads nothing. */
export function readLinks(answer: SiteAnswer, url: string): PageLinks {
  const assets = new Set<string>()
  const plain: { element: string; url: string }[] = []
  if (!/html/i.test(headerValue(answer, 'content-type') ?? '')) return { assets: [], plain }
  let count = 0
  const text = answer.body.replaceAll(/<!--[\s\S]*?-->/g, '')
  for (const { groups } of text.matchAll(TAG)) {
    if (++count > MAX_TAGS) break
    const { element = '', attributes = '' } = groups!
    const isLoaded =
      element.toLowerCase() !== 'link' || /\brel\s*=\s*["']?(?:stylesheet|modulepreload)/i.test(attributes)
    const found = SOURCE.exec(attributes)?.groups
    const source = found?.['double'] ?? found?.['single'] ?? found?.['bare']
    if (!isLoaded || source === undefined || !URL.canParse(source, url)) continue
    const target = new URL(source, url)
    if (target.protocol === 'http:') plain.push({ element: element.toLowerCase(), url: target.href })
    if (target.origin === new URL(url).origin && /\.(?:m?js|css)$/.test(target.pathname))
      assets.add(target.pathname + target.search)
  }
  return { assets: [...assets], plain }
}
