import { defineFact } from '../../define.ts'
import { siteAsker } from './site-fact.ts'

/** How long the site bears a client that never ends its request's head. */
export interface SiteSlow {
  origin: string
  /** In milliseconds; null where it bore it to the end. */
  boreMs: number | null
  /** How long it was tried. */
  triedMs: number
}

const TRIED_MS = 15_000

/** One connection, open for as long as {@link SiteSlow} says: for those who ask for guesses, too. */
export const siteSlow = defineFact<SiteSlow>({
  id: 'site-slow',
  title: 'Answer of a site named by --url',
  async collect({ get }) {
    const asker = await get(siteAsker)
    if (asker === null) return null
    const { prober, scheme } = asker
    return {
      origin: prober.origin(scheme),
      boreMs: await prober.dripHead(scheme, TRIED_MS),
      triedMs: TRIED_MS,
    }
  },
})
