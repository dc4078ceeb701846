export { appErrors } from './app-errors.ts'
export { frameErrors } from './errors.ts'
export {
  frameFlag,
  frameHeaderBytes,
  frameType,
  hasFlag,
  maxDataBytes,
  maxPayloadBytes,
  protocolVersion,
} from './frame.ts'
export type { Frame, FrameType, Side } from './frame.ts'
export { nameOfType } from './frame-rules.ts'
export { FrameReader } from './frame-reader.ts'
export type { FrameReaderOptions } from './frame-reader.ts'
export {
  cancelString,
  creditString,
  drainString,
  encodeFrame,
  encodeFrameHeader,
  encodeJsonFrame,
  endString,
  frameString,
  openedString,
} from './frame-encoding.ts'
export type { FrameStart } from './frame-encoding.ts'
export { environKey } from './environ-key.ts'
export {
  decodeRequest,
  encodeFileRequest,
  encodeRequest,
  joinHead,
  requestStartString,
  requestString,
  splitHead,
} from './request-frame.ts'
export type { DecodedRequest, RequestFrame } from './request-frame.ts'
export {
  decodeBegun,
  decodeFile,
  decodeResponse,
  decodeTrailers,
  encodeResponse,
  responseStartBytes,
} from './response-frame.ts'
export type { DecodedResponse, FileBody, ResponseFrame } from './response-frame.ts'
export { decodeCredit, decodeJson } from './control-frame.ts'
export type { FailedMessage, HelloMessage, LogMessage, ReadyMessage } from './control-frame.ts'
export {
  decodeWebSocketAccept,
  decodeWebSocketClose,
  encodeWebSocketClose,
  encodeWebSocketMessage,
} from './websocket-frame.ts'
export type { WebSocketAccept, WebSocketClose } from './websocket-frame.ts'
