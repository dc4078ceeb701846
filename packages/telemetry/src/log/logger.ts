import { strict as assert } from 'node:assert'
import { pino } from 'pino'
import type { Level, Logger } from 'pino'
import { errorFields } from './error-fields.ts'
import { LogOutput } from './log-output.ts'
import { redact } from './redact.ts'
import { toTextLine } from './text-line.ts'

/** Takes finished lines, each with its newline; in place of a descriptor. */
export interface LineSink {
  write(line: string): void
}

export interface LoggerOptions {
  /** Which part of Havn speaks: `gateway`. */
  name: string
  level: Level | 'silent'
  /** `json`: one object a line. `text`: for people. */
  format: 'text' | 'json'
  /** Colours in text. */
  color?: boolean
  /** Fields of every line: `{ thread: 1 }`. */
  fields?: Record<string, unknown>
  /** A descriptor number, 1 when absent, or something that takes lines. */
  destination?: number | LineSink
}

/**
 * Creates a pino logger that writes to a descriptor of this process, from any of its threads, without a transport
 * and without ever waiting for the reader: see {@link LogOutput}. Values of keys that hold secrets are redacted.
 *
 * @example
 * const logger = createLogger({ name: 'gateway', level: 'info', format: 'json' })
 * logger.info({ url }, 'listening')
 * await closeLogger(logger)
 */
export function createLogger(options: LoggerOptions): Logger {
  const { name, level, fields, destination = 1 } = options
  const output = typeof destination === 'number' ? createOutput(destination, options) : undefined
  const sink = output ?? (destination as LineSink)
  const format = formatter(options)
  const stream = format === undefined ? sink : { write: (line: string) => sink.write(format(line)) }
  const logger = pino(
    {
      level,
      base: { name, ...fields },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redact },
      serializers: { err: toErrorFields, error: toErrorFields },
    },
    stream,
  )
  if (output !== undefined) outputs.set(stream, output)
  const base = JSON.stringify({ name, ...fields }).slice(1, -1)
  writers.set(stream, {
    writeLine: (line) => sink.write(line),
    writeFields: (atLevel, text) =>
      stream.write(`{"level":"${atLevel}","time":"${new Date().toISOString()}",${base}${text}}\n`),
  })
  return logger
}

/** What is written past pino, in order with all else. */
export interface LineWriter {
  /** A line of its own format, with its newline. */
  writeLine(line: string): void
  /** A line as the logger has it, of fields that are JSON text already, each behind its comma. Nothing is redacted. */
  writeFields(level: Level, fields: string): void
}

/** For lines that come with every request. The logger is one of {@link createLogger}. */
export function lineWriterOf(logger: Logger): LineWriter {
  const writer = writers.get(streamOf(logger))
  assert(writer, 'the logger was not made by createLogger')
  return writer
}

/** Resolves when every line logged so far is with the reader, or the reader has gone away. */
export async function flushLogger(logger: Logger): Promise<void> {
  await outputOf(logger)?.flush()
}

/** Flushes for half a second at most and lets go of the descriptor: for the end of a process or thread. */
export async function closeLogger(logger: Logger): Promise<void> {
  await outputOf(logger)?.close()
}

/** `error` may also be a code, which stays as it is. */
function toErrorFields(value: unknown): unknown {
  return value instanceof Error ? errorFields(value) : value
}

const outputs = new WeakMap<object, LogOutput>()
const writers = new WeakMap<object, LineWriter>()

function outputOf(logger: Logger): LogOutput | undefined {
  return outputs.get(streamOf(logger))
}

/** Child loggers share their parent's stream. */
function streamOf(logger: Logger): object {
  const { [pino.symbols.streamSym]: stream } = logger as unknown as Record<symbol, object>
  return stream!
}

function createOutput(fd: number, options: LoggerOptions): LogOutput {
  const format = formatter(options) ?? ((line: string) => line)
  return new LogOutput({
    fd,
    dropNotice: (dropped) => {
      const time = new Date().toISOString()
      const msg = `${dropped} log lines were dropped: the reader of this log was too slow`
      return format(JSON.stringify({ level: 'warn', time, name: options.name, dropped, msg }) + '\n')
    },
  })
}

function formatter({ format, color = false }: LoggerOptions): ((line: string) => string) | undefined {
  return format === 'text' ? (line) => toTextLine(line, color) : undefined
}
