import app from './app.ts'

/** The API without Havn: `npm start`, on $PORT. */
const port = Number(process.env['PORT'] ?? 3000)
const host = process.env['HOST'] ?? '127.0.0.1'

console.log(`Listening on ${await app.listen({ port, host })}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void app.close())
}
