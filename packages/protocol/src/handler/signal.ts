/** Is told of a signal; may be async, which only an async sender waits for. */
export type Receiver<Payload> = (payload: Payload) => unknown

/** Tells receivers in the order in which they were connected. */
export class Signal<Payload> {
  readonly #receivers = new Set<Receiver<Payload>>()

  /** Adds a receiver; the returned function takes it out again. */
  connect(receiver: Receiver<Payload>): () => void {
    this.#receivers.add(receiver)
    return () => void this.#receivers.delete(receiver)
  }

  /** Tells all receivers; throws what the first one throws. */
  send(payload: Payload): void {
    for (const receiver of this.#receivers) receiver(payload)
  }

  /** Tells all receivers, one after another, and waits for each. */
  async sendAsync(payload: Payload): Promise<void> {
    for (const receiver of this.#receivers) await receiver(payload)
  }
}
