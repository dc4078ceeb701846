import type { RequestTarget } from '../src/index.ts'

/** A plain GET of a client's, but for what is given. */
export function requestTarget(part: Partial<RequestTarget> = {}): RequestTarget {
  return {
    method: 'GET',
    path: '/',
    query: '',
    rawTarget: '/',
    host: 'shop.test',
    scheme: 'http',
    httpVersion: '1.1',
    clientAddress: '192.0.2.1',
    clientPort: 1,
    serverAddress: '192.0.2.2',
    serverPort: 80,
    headers: [],
    ...part,
  }
}
