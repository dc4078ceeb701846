import type { ReceiveEvent, SendEvent } from './events.ts'

/** The rules of one protocol for one connection; each method throws when what happens breaks one. */
export interface ProtocolRules {
  /** The server yields this event. */
  receives(type: string, event: ReceiveEvent): void
  /** The app sends this event. */
  sends(type: string, event: SendEvent): void
  /** The app returns. */
  returns(): void
}
