export { partMissing, requirePart } from './missing.ts'
export { startOtlpReceiver } from './otlp-receiver.ts'
export type { OtlpReceiver, ReceivedSpan } from './otlp-receiver.ts'
export { ensurePython, findPython } from './python.ts'
