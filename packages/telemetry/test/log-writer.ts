import { Worker, isMainThread } from 'node:worker_threads'
import { closeLogger, createLogger } from '../src/index.ts'

/** Logs as its arguments say; the process that tests start, stall and leave. */
const [mode, count = '1'] = process.argv.slice(2)
const destination = Number(process.env['LOG_FD'] ?? 1)
const logger = createLogger({ name: 'writer', level: 'info', format: 'json', destination })

function logLines(from: string): void {
  for (let line = 0; line < Number(count); line++) logger.info({ from, line, filler: 'x'.repeat(80) }, 'line')
}

if (!isMainThread) {
  logLines('thread')
  await closeLogger(logger)
} else if (mode === 'threads') {
  const ended = [1, 2, 3].map(() => {
    const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) })
    return new Promise((resolve) => worker.once('exit', resolve))
  })
  logLines('main')
  await Promise.all(ended)
} else if (mode === 'exit') {
  logLines('main')
  process.exit(3)
} else if (mode === 'stall') {
  // Each turn logs more than a pipe holds; the turns are counted on standard error, which has a reader.
  for (let turn = 0; turn < 20; turn++) {
    logLines('main')
    await new Promise((resolve) => setImmediate(resolve))
  }
  process.stderr.write('served\n')
  await new Promise((resolve) => process.stdin.once('data', resolve))
  process.stdin.destroy()
  logger.info('last')
  await closeLogger(logger)
} else if (mode === 'gone') {
  await new Promise((resolve) => process.stdin.once('data', resolve))
  process.stdin.destroy()
  logLines('main')
  await closeLogger(logger)
  logger.info('after the end')
  process.stderr.write('alive\n')
}
