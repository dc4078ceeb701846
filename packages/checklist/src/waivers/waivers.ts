import type { Waiver } from '@havn/model'
import type { Finding } from '@havn/plugin-api'

/** Looks up whether findings are waived, and remembers which waivers were of use. */
export class Waivers {
  readonly #waivers: readonly Waiver[]
  readonly #today: string
  readonly #used = new Set<Waiver>()

  /** @param today as `2026-11-28`, in UTC: the same everywhere. */
  constructor(waivers: readonly Waiver[], today: string) {
    this.#waivers = waivers
    this.#today = today
  }

  /** The waiver that covers a finding, expired or not; null when none does. One that holds goes before one that does not. */
  find(finding: Finding): Waiver | null {
    const fitting = this.#waivers.filter((waiver) => covers(waiver, finding))
    const found = fitting.find((waiver) => this.isValid(waiver)) ?? fitting[0] ?? null
    if (found !== null) this.#used.add(found)
    return found
  }

  isValid({ expires }: Waiver): boolean {
    return this.#today <= expires
  }

  /** Waivers that covered something, and no longer hold. */
  get expired(): readonly Waiver[] {
    return this.#waivers.filter((waiver) => this.#used.has(waiver) && !this.isValid(waiver))
  }

  /** Waivers that covered nothing, by now. */
  get unused(): readonly Waiver[] {
    return this.#waivers.filter((waiver) => !this.#used.has(waiver))
  }
}

function covers({ rule, file, resource }: Waiver, finding: Finding): boolean {
  if (rule !== finding.rule) return false
  if (file !== undefined && file !== finding.place?.file) return false
  return resource === undefined || resource === finding.resource
}
