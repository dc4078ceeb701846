import type { Cache } from '@havn/model'
import { errors } from '../errors.ts'
import { competes, describeMatch } from './check-routes.ts'

/**
 * Refuses rules of which two claim the same requests with equal right.
 *
 * @throws HAVN_ERR_EDGE_ROUTES_OVERLAP
 */
export function checkCache({ rules }: Cache): void {
  const nameOf = (at: number) =>
    `cache.rules.${at}${rules[at]!.id === undefined ? '' : ` (${rules[at]!.id})`}`
  rules.forEach(({ match }, at) => {
    const before = rules.findIndex((other, index) => index < at && competes(other.match, match))
    if (before < 0) return
    throw errors.HAVN_ERR_EDGE_ROUTES_OVERLAP({
      one: nameOf(before),
      other: nameOf(at),
      match: describeMatch(match),
    })
  })
}
