import type { ErrorStream } from './types.ts'

/** `wsgi.errors` that passes text on, to stderr unless told otherwise. */
export function createErrorStream(write: (text: string) => void = toStderr): ErrorStream {
  return {
    flush() {},
    write,
    writelines(lines) {
      for (const line of lines) write(line)
    },
  }
}

function toStderr(text: string): void {
  process.stderr.write(text)
}
