import {
  cancelString,
  creditString,
  decodeCredit,
  endString,
  frameErrors,
  frameFlag,
  frameType,
  maxDataBytes,
  openedString,
  responseStartBytes,
} from '../frames/index.ts'
import type { Frame, FrameType } from '../frames/index.ts'
import type { FrameWriter } from './frame-writer.ts'
import { streamWindows } from './stream-windows.ts'
import type { OverdueRequest } from './worker-health.ts'

const { BODY, CANCEL, CREDIT, RESPONSE, WS_MESSAGE } = frameType
const { END, MORE } = frameFlag

/** Whoever uses a channel for one stream. */
export interface ChannelUser {
  /** For log lines of the host about this stream. */
  readonly requestId: string
  /**
   * A frame of the host, CREDIT apart. END or CANCEL is the last one: the channel is closed when it returns.
   * May throw `HAVN_ERR_HOST_PROTOCOL` for what its state does not allow.
   */
  onFrame(frame: Frame): void
  /** Part of what was pushed has gone. */
  onSent(): void
  /** The host is gone, and the channel with it; `begun` is false when its app has seen nothing of the request. */
  onLost(begun: boolean): void
  /** For the record of the host's death. */
  describe(): RequestInFlight
}

/** A request that a host had as it ended. Nothing that may be secret: no query, no headers. */
export interface RequestInFlight {
  id: string
  method: string
  path: string
  /** Since its head was complete. */
  ageMs: number
}

/** The connection, as its channels see it. */
export interface ChannelLink {
  readonly writer: FrameWriter
  /** True where the app sees a request as soon as its head is there, false where its body must be whole. */
  readonly beginsAtHead: boolean
  /** Requests that the host may begin, so far. */
  turns: number
  /** The channel has something that it may send: it takes its turn. */
  schedule(channel: Channel): void
  /** The host has ended the stream: its number is free. */
  closed(channel: Channel): void
  /** The deadline of the channel's request has passed, and it was cancelled. */
  overran(channel: Channel, request: OverdueRequest): void
  /** Calls `flush` once all frames that arrived together have been handled. */
  afterFrames(waiting: { flush(): void }): void
}

interface Outgoing {
  type: FrameType
  flags: number
  payload: Buffer
}

/**
 * One stream number of a connection, used for one request after another: what is sent against the host's credit,
 * what it may send, and both ends (docs/reference/host-protocol.md, "After a stream"). When the host has ended
 * and the gateway has not, the rest is cancelled, so that an end from the host always frees the number.
 */
export class Channel {
  readonly id: number
  readonly #link: ChannelLink
  /** True while the channel is in its connection's round of senders. */
  scheduled = false
  #user: ChannelUser | null = null
  #open = false
  #credit = 0
  #allowance = 0
  #queue: Outgoing[] = []
  #queuedBytes = 0
  #last: string | null = null
  #sentEnd = false
  /** The request's place in the order in which the host begins them; 0 while it may not. */
  #turn = 0

  constructor(id: number, link: ChannelLink) {
    this.id = id
    this.#link = link
  }

  get isOpen(): boolean {
    return this.#open
  }

  get user(): ChannelUser | null {
    return this.#user
  }

  /** Bytes that wait for the host's credit. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  open(user: ChannelUser): void {
    this.#user = user
    this.#open = true
    this.#credit = streamWindows.bodyWindow
    this.#allowance = streamWindows.responseWindow
    this.#last = null
    this.#sentEnd = false
    this.#turn = 0
  }

  /** The REQUEST, as a string; `ended` when it has END. */
  request(text: string, ended: boolean): void {
    this.#sentEnd = ended
    if (ended || this.#link.beginsAtHead) this.#turn = ++this.#link.turns
    this.#link.writer.text(text)
  }

  /** The REQUEST with bytes; it has END. */
  requestBytes(frame: Buffer): void {
    this.#sentEnd = true
    this.#turn = ++this.#link.turns
    this.#link.writer.bytes(frame)
  }

  /** The REQUEST as its beginning and its body, which is not copied; it has END. */
  requestParts(start: string, body: readonly Buffer[]): void {
    this.#sentEnd = true
    this.#turn = ++this.#link.turns
    this.#link.writer.text(start)
    for (const chunk of body) this.#link.writer.bytes(chunk)
  }

  /** Bytes that go as BODY or WS_MESSAGE frames in turn with other streams. The memory is the channel's now. */
  push(payload: Buffer, type: FrameType = BODY, flags = 0): void {
    if (this.#sentEnd) return
    this.#queue.push({ type, flags, payload })
    this.#queuedBytes += payload.length
    if (this.isSendable) this.#link.schedule(this)
  }

  /** Ends this direction once all has gone: by an empty BODY, or by the frame given (WS_CLOSE). */
  end(last = endString(this.id)): void {
    if (this.#sentEnd || this.#last !== null) return
    this.#last = last
    if (this.isSendable) this.#link.schedule(this)
  }

  /** Ends the stream both ways; its number stays taken until the host agrees. The user hears nothing more. */
  cancel(): void {
    this.#user = null
    if (!this.#open) return
    this.#link.writer.text(cancelString(this.id))
    this.#dropQueue()
    this.#sentEnd = true
  }

  /** The same at the request's deadline: the host ends the run of the app, or is replaced. */
  overrun(request: OverdueRequest): void {
    this.cancel()
    if (this.#open) this.#link.overran(this, request)
  }

  /** The host may send this many bytes more. */
  grant(bytes: number): void {
    if (!this.#open || bytes === 0) return
    this.#allowance += bytes
    this.#link.writer.text(creditString(this.id, bytes))
  }

  /** The file that the host named is open: it may let go of it. */
  opened(): void {
    if (this.#open) this.#link.writer.text(openedString(this.id))
  }

  afterFrames(waiting: { flush(): void }): void {
    this.#link.afterFrames(waiting)
  }

  get isSendable(): boolean {
    const next = this.#queue[0]
    if (next === undefined) return this.#last !== null
    return this.#credit > 0 || next.payload.length === 0
  }

  /** One frame; called by the connection when it is this channel's turn. */
  sendNext(): void {
    const next = this.#queue[0]
    if (next === undefined) return this.#sendLast()
    const bytes = Math.min(next.payload.length, maxDataBytes, this.#credit)
    const whole = bytes === next.payload.length
    const payload = whole ? next.payload : next.payload.subarray(0, bytes)
    const more = !whole && next.type === WS_MESSAGE ? MORE : 0
    this.#link.writer.frame({ type: next.type, flags: next.flags | more, stream: this.id }, payload)
    if (whole) this.#queue.shift()
    else next.payload = next.payload.subarray(bytes)
    this.#credit -= bytes
    this.#queuedBytes -= bytes
    this.#user?.onSent()
  }

  /** A frame of the host for this stream; throws `HAVN_ERR_HOST_PROTOCOL`. */
  receive(frame: Frame): void {
    if (!this.#open) return
    if (frame.type === CREDIT) return this.#receiveCredit(decodeCredit(frame.payload))
    this.#account(frame)
    this.#user?.onFrame(frame)
    if (frame.type === CANCEL || (frame.flags & END) !== 0) this.#close()
  }

  /** The connection is gone; the host had begun so many requests. */
  lose(begun: number): void {
    const user = this.#user
    this.#user = null
    this.#open = false
    this.#dropQueue()
    user?.onLost(this.isBegun(begun))
  }

  /** Whether this stream's request is among the first so many. */
  isBegun(begun: number): boolean {
    return this.#turn !== 0 && this.#turn <= begun
  }

  #sendLast(): void {
    if (this.#last === null) return
    this.#link.writer.text(this.#last)
    if (this.#turn === 0) this.#turn = ++this.#link.turns
    this.#last = null
    this.#sentEnd = true
  }

  #receiveCredit(bytes: number): void {
    this.#credit += bytes
    if (this.isSendable) this.#link.schedule(this)
  }

  #account(frame: Frame): void {
    if (frame.type === BODY || frame.type === WS_MESSAGE) this.#allowance -= frame.payload.length
    else if (frame.type === RESPONSE)
      this.#allowance -= frame.payload.length - responseStartBytes - frame.payload.readUInt32LE(0)
    else return
    if (this.#allowance < 0)
      throw frameErrors.HAVN_ERR_HOST_PROTOCOL({
        reason: `stream ${this.id} has ${-this.#allowance} bytes more than its credit`,
      })
  }

  #close(): void {
    this.#user = null
    this.#open = false
    if (!this.#sentEnd) this.#link.writer.text(cancelString(this.id))
    this.#dropQueue()
    this.#link.closed(this)
  }

  #dropQueue(): void {
    if (this.#queue.length > 0) this.#queue = []
    this.#queuedBytes = 0
    this.#last = null
  }
}
