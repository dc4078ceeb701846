export { answerInstead } from './answer-instead.ts'
export { clientNetwork } from './client-network.ts'
export { clientSocketOf } from './connection.ts'
export { createListener } from './create-listener.ts'
export type { ListenerHandlers, ListenerOptions } from './create-listener.ts'
export { errors } from './errors.ts'
export { forwardableHeaders } from './forwardable-headers.ts'
export { isHost } from './host.ts'
export { limitBody } from './limit-body.ts'
export { lingerAndClose } from './linger.ts'
export { normaliseTarget } from './normalise-target.ts'
export type { NormalisedTarget } from './normalise-target.ts'
export type { PlainExchange, PlainUser } from './plain/plain-exchange.ts'
export { createPeerTrust } from './peer-trust.ts'
export type { PeerTrust } from './peer-trust.ts'
export type { RefusalReason } from './refusal.ts'
export type { ListenerLimits } from './request-rules.ts'
export type { RequestTarget } from './request-target.ts'
export { formatErrorResponse, sendError } from './send-error.ts'
export type { SendErrorOptions } from './send-error.ts'
export { loadCertificate, readCertificate } from './tls/load-certificate.ts'
export type {
  CertificateFiles,
  LoadedCertificate,
  ReadCertificate,
  TlsSettings,
} from './tls/load-certificate.ts'
export { updateTls } from './tls/tls-door.ts'
export type { Certificates, TlsOptions, TlsUpdate } from './tls/tls-door.ts'
