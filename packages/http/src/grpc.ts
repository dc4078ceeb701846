import type { IncomingMessage } from 'node:http'

/** gRPC over HTTP/2, whatever its messages are written in; gRPC-Web is another protocol. */
const GRPC = /^application\/grpc(?:[+;]|$)/i

/** True for the media type of gRPC over HTTP/2. */
export function isGrpcType(contentType: string | undefined): boolean {
  return contentType !== undefined && GRPC.test(contentType)
}

/** True for a call of gRPC: its answer says what went wrong by `grpc-status`, and never by the HTTP status. */
export function isGrpc(request: IncomingMessage | undefined): boolean {
  return isGrpcType(request?.headers['content-type'])
}

/** What gRPC calls an HTTP status (doc/http-grpc-status-mapping.md of gRPC), and what this project's own mean to it. */
const STATUSES: Readonly<Record<number, number>> = {
  400: 13, // INTERNAL
  401: 16, // UNAUTHENTICATED
  403: 7, // PERMISSION_DENIED
  404: 12, // UNIMPLEMENTED
  // Time that is over, on either side: to ask again is for the caller to decide.
  408: 4, // DEADLINE_EXCEEDED
  413: 8, // RESOURCE_EXHAUSTED
  429: 14, // UNAVAILABLE
  431: 8, // RESOURCE_EXHAUSTED
  502: 14, // UNAVAILABLE
  503: 14, // UNAVAILABLE
  504: 4, // DEADLINE_EXCEEDED
}
const UNKNOWN = 2

/** The fields that tell a caller of gRPC of a failure, whether in a head or in trailers. */
export function grpcStatusFields(status: number, message: string): Record<string, string> {
  return { 'grpc-status': String(STATUSES[status] ?? UNKNOWN), 'grpc-message': encodeMessage(message) }
}

/** Percent-encoded but for printable ASCII, as the protocol has it. */
function encodeMessage(message: string): string {
  return message.replace(/[^ -$&-~]+/gu, (text) => encodeURIComponent(text))
}
