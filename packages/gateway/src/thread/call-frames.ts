import { fileURLToPath } from 'node:url'

/** A frame as the inspector gives it (Debugger.CallFrame); its own `url` stays empty for ES modules. */
export interface CallFrame {
  functionName: string
  location: { scriptId: string; lineNumber: number; columnNumber?: number }
}

/** Writes frames as V8 writes a stack; the inspector counts places from 0. */
export function formatCallFrames(frames: readonly CallFrame[], urls: ReadonlyMap<string, string>): string {
  return frames
    .map(({ functionName, location }) => {
      const url = urls.get(location.scriptId) ?? '<anonymous>'
      const path = url.startsWith('file:') ? fileURLToPath(url) : url
      const place = `${path}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`
      return functionName === '' ? `    at ${place}` : `    at ${functionName} (${place})`
    })
    .join('\n')
}
