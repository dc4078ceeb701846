import { Session } from 'node:inspector'
import { formatCallFrames } from './call-frames.ts'

/** A main thread that runs native code does not pause. */
const pauseMs = 1_000

/**
 * The JavaScript stack of this process's main thread, asked for by another thread, also while its event loop is
 * blocked. Null when it runs no JavaScript.
 */
export function readMainStack(): Promise<string | null> {
  const session = new Session()
  session.connectToMainThread()
  return new Promise<string | null>((resolve) => {
    const finish = (stack: string | null) => {
      clearTimeout(timer)
      // It goes on, also where it would have paused later; only then may the session end.
      session.post('Debugger.resume')
      session.post('Debugger.disable', () => session.disconnect())
      resolve(stack)
    }
    const timer = setTimeout(() => finish(null), pauseMs)
    const urls = new Map<string, string>()
    session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => urls.set(scriptId, url))
    session.on('Debugger.paused', ({ params }) => finish(formatCallFrames(params.callFrames, urls)))
    session.post('Debugger.enable')
    session.post('Debugger.pause')
  })
}
