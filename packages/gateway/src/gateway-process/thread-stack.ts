import { Session } from 'node:inspector'
import { formatCallFrames, type CallFrame } from '../thread/call-frames.ts'

/** A thread that runs native code does not pause. */
const pauseMs = 1_000

type DebuggerEvent =
  | { method: 'Debugger.scriptParsed'; params: { scriptId: string; url: string } }
  | { method: 'Debugger.paused'; params: { callFrames: CallFrame[] } }
  | { method?: undefined }

/**
 * The JavaScript stack of a worker thread of this process, also while its event loop is blocked: the inspector
 * interrupts it for the moment that the question takes. Null when it runs no JavaScript.
 */
export function readThreadStack(threadId: number): Promise<string | null> {
  const session = new Session()
  session.connect()
  let worker: string | null = null
  let lastId = 0
  const urls = new Map<string, string>()

  function send(...methods: string[]): void {
    if (worker === null) return
    for (const method of methods) {
      const message = JSON.stringify({ id: ++lastId, method })
      session.post('NodeWorker.sendMessageToWorker', { sessionId: worker, message })
    }
  }

  return new Promise<string | null>((resolve) => {
    const finish = (stack: string | null) => {
      clearTimeout(timer)
      // It goes on, also where it would have paused later; only then may the session end.
      send('Debugger.resume', 'Debugger.disable')
      session.post('NodeWorker.disable', () => session.disconnect())
      resolve(stack)
    }
    const timer = setTimeout(() => finish(null), pauseMs)
    session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
      // The inspector numbers workers in an order of its own; their title has the thread's id.
      if (!workerInfo.title.startsWith(`[worker ${threadId}]`)) return
      worker = sessionId
      send('Debugger.enable', 'Debugger.pause')
    })
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      const event = JSON.parse(params.message) as DebuggerEvent
      if (event.method === 'Debugger.scriptParsed') urls.set(event.params.scriptId, event.params.url)
      else if (event.method === 'Debugger.paused') finish(formatCallFrames(event.params.callFrames, urls))
    })
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
  })
}
