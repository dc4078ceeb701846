import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestTarget } from '@havn/http'
import type { EdgeApp, EdgePlainRequest } from '@havn/plugin-api'
import type { RequestObserver } from '@havn/telemetry'
import type { Host } from '../host/host.ts'
import { createNoHost } from '../host/no-host.ts'
import type { ObservedPlainRequest } from './observed-plain-request.ts'

/** The app, as its edge sees it, which is there before it. */
export class ThreadApp implements EdgeApp {
  readonly #observer: RequestObserver
  #host: Host = createNoHost()

  constructor(observer: RequestObserver) {
    this.#observer = observer
  }

  /** From now on this is the app. */
  become(host: Host): void {
    this.#host = host
  }

  get takesPlain(): boolean {
    return this.#host.takesPlain
  }

  handle(request: IncomingMessage, response: ServerResponse, target: RequestTarget): void {
    // The edge's own requests were not seen before.
    const record = this.#observer.recordOf(request) ?? this.#observer.begin(request, response, target)
    this.#observer.runWithin(request, () =>
      this.#host.handle({ request, response, target, record, plain: null }),
    )
  }

  handlePlain(request: EdgePlainRequest): void {
    this.#host.handle(request as ObservedPlainRequest)
  }
}
