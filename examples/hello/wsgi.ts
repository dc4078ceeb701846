import { defineWsgi } from '@havn/protocol'

export default defineWsgi((_environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain; charset=utf-8']])
  return [Buffer.from('Hello, World!\n')]
})
