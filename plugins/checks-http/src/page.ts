import { answerOf, headerValue, redirectOf, toExchange } from '@havn/checklist'
import type { SiteAnswer, SiteAsker, SiteParsing, SitePaths, SiteProbe, SiteTrust } from '@havn/checklist'
import type { FindingReport } from '@havn/plugin-api'

/** The first page. */
export function pageOf({ home }: SiteAsker): SiteAnswer {
  // There is no asker without one.
  return answerOf(home)!
}

/**
 * Whether the first page is one that browsers show: for a redirect to a host that is not asked, and for what has no pages,
 * most headers say nothing.
 */
export function isPage(asker: SiteAsker): boolean {
  if (redirectOf(asker.home) !== null) return false
  return /html/i.test(headerValue(pageOf(asker), 'content-type') ?? 'html')
}

/** A finding about one answer, with the exchange for evidence. */
export function about(probe: SiteProbe, message: string): FindingReport {
  return { message, resource: probe.url.replace(/\?.*$/, ''), exchange: toExchange(probe) }
}

/** All that the site was asked, for what can be in any answer. */
export function allProbes(facts: {
  siteAsker: SiteAsker
  siteTrust: SiteTrust
  sitePaths: SitePaths
  siteParsing: SiteParsing
}): SiteProbe[] {
  const { siteAsker, siteTrust, sitePaths, siteParsing } = facts
  return [
    siteAsker.home,
    sitePaths.missing,
    sitePaths.malformed,
    siteTrust.forgedHost,
    siteTrust.forwarded,
    siteParsing.hostMissing,
    siteParsing.oversized,
    ...sitePaths.inside.map(({ probe }) => probe),
  ]
}
