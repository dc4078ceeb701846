import { defineAsgi, type AsgiHeader } from '@havn/protocol'

const headers: AsgiHeader[] = [[Buffer.from('content-type'), Buffer.from('text/plain; charset=utf-8')]]

export default defineAsgi(async (scope, _receive, send) => {
  if (scope.type !== 'http') throw new Error(`cannot serve ${scope.type}`)
  await send({ type: 'http.response.start', status: 200, headers })
  await send({ type: 'http.response.body', body: Buffer.from('Hello, World!\n') })
})
