/** The handler that every JavaScript contender runs. */
export default function hello(_request, response) {
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '13' })
  response.end('Hello, world!')
}
