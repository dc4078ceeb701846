import type { IncomingMessage, ServerResponse } from 'node:http'

const chunk = Buffer.alloc(65_536, 'x')

/** A Node app for what clients do wrong: each interface has the same paths. */
export default function handle(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers['x-what'] !== undefined) {
    void tellWhat(request, response)
  } else if (request.url === '/upload') {
    let bytes = 0
    request.on('data', (part: Buffer) => (bytes += part.length))
    request.on('end', () => response.end(`${bytes} bytes`))
    request.on('error', () => {})
  } else if (request.url === '/endless') {
    writeOn(response)
  } else if (request.url === '/late') {
    setTimeout(() => response.end('late'), 3_000)
  } else if (request.url === '/sorry') {
    response.writeHead(500, { etag: '"a"', 'x-kept': 'yes' }).end('internals')
  } else if (request.url === '/fails') {
    throw new Error('as it should')
  } else if (request.url === '/empty') {
    response.writeHead(204).end()
  } else if (request.url === '/unchanged') {
    response.writeHead(304, { etag: '"a"' }).end()
  } else {
    response.end('hello')
  }
}

/** What the app sees of its request. */
async function tellWhat(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '', headers } = request
  const at = url.indexOf('?')
  let body = ''
  for await (const part of request.setEncoding('latin1')) body += String(part)
  const path = at < 0 ? url : url.slice(0, at)
  const seen = {
    method,
    // In the words of WSGI: percent-decoded, bytes as latin-1.
    path: path.replace(/%[0-9a-f]{2}/gi, (escape) => String.fromCharCode(parseInt(escape.slice(1), 16))),
    query: at < 0 ? '' : url.slice(at + 1),
    host: headers.host,
    client: request.socket.remoteAddress,
    names: Object.keys(headers).sort(),
    body,
  }
  const escape = (letter: string) => '\\u' + letter.charCodeAt(0).toString(16).padStart(4, '0')
  response.end(JSON.stringify(seen).replace(/[^\0-\x7f]/g, escape))
}

function writeOn(response: ServerResponse): void {
  while (response.write(chunk));
  if (!response.destroyed) response.once('drain', () => writeOn(response))
}
