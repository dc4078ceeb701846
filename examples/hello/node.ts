import type { RequestListener } from 'node:http'

export default ((_request, response) => response.end('Hello, World!\n')) satisfies RequestListener
