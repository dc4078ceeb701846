import { connect } from 'node:net'

/** Statuses of the answers that a server gave to these bytes (latin-1), in order, until it closed the connection. */
export function readAnswers(port: number, bytes: string): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1')
    socket.setTimeout(20_000, () =>
      socket.destroy(new Error(`The server did not close the connection; it sent:\n${text}`)),
    )
    socket.on('data', (part: string) => (text += part))
    socket.once('error', reject)
    socket.once('close', () => resolve(statusesOf(text)))
    socket.write(bytes, 'latin1')
  })
}

/** Every answer here has a Content-Length or no body: what does not fit is no answer, and shows as NaN. */
function statusesOf(text: string): number[] {
  const statuses: number[] = []
  let rest = text
  while (rest !== '') {
    const headEnd = rest.indexOf('\r\n\r\n')
    const head = rest.slice(0, headEnd)
    const status = headEnd < 0 ? NaN : Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1])
    statuses.push(status)
    if (Number.isNaN(status)) break
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    const bodyBytes = status === 204 || status < 200 ? 0 : Number(length)
    rest = Number.isNaN(bodyBytes) ? '' : rest.slice(headEnd + 4 + bodyBytes)
  }
  return statuses
}
