/** What can wait: its place in the list lies in itself, so that waiting costs no memory of its own. */
export interface Waiting {
  previousWaiting: Waiting | null
  nextWaiting: Waiting | null
  /** `performance.now()` when it began to wait; 0 while it does not. */
  waitingSince: number
}

/** First in, first out; leaving from the middle costs no more than from an end. */
export class WaitingList<Item extends Waiting> {
  #first: Item | null = null
  #last: Item | null = null
  #length = 0

  get length(): number {
    return this.#length
  }

  get first(): Item | null {
    return this.#first
  }

  add(item: Item, now: number): void {
    item.waitingSince = now
    item.previousWaiting = this.#last
    item.nextWaiting = null
    if (this.#last === null) this.#first = item
    else this.#last.nextWaiting = item
    this.#last = item
    this.#length += 1
  }

  /** The item must be in the list. */
  remove(item: Item): void {
    const previous = item.previousWaiting as Item | null
    const next = item.nextWaiting as Item | null
    if (previous === null) this.#first = next
    else previous.nextWaiting = next
    if (next === null) this.#last = previous
    else next.previousWaiting = previous
    item.previousWaiting = null
    item.nextWaiting = null
    item.waitingSince = 0
    this.#length -= 1
  }
}
