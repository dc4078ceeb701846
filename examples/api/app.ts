import Fastify from 'fastify'
import { distanceNauticalMiles, findPort, ports } from './ports.ts'

/** The API. Whoever serves it calls it; nothing listens when this module is imported. */
const app = Fastify()

const code = { type: 'string', pattern: '^[A-Za-z]{5}$' } as const

app.get('/', () => ({ name: 'ports', endpoints: ['/ports', '/ports/:code', '/distance'] }))

app.get('/healthz', () => ({ status: 'ok' }))

app.get<{ Querystring: { name?: string } }>(
  '/ports',
  { schema: { querystring: { type: 'object', properties: { name: { type: 'string', maxLength: 100 } } } } },
  ({ query }) => {
    const wanted = query.name?.toLowerCase() ?? ''
    return { ports: ports.filter(({ name }) => name.toLowerCase().includes(wanted)) }
  },
)

app.get<{ Params: { code: string } }>(
  '/ports/:code',
  { schema: { params: { type: 'object', properties: { code } } } },
  ({ params }, reply) => findPort(params.code) ?? reply.code(404).send(unknownPort(params.code)),
)

app.post<{ Body: { from: string; to: string; speedKnots: number } }>(
  '/distance',
  {
    schema: {
      body: {
        type: 'object',
        required: ['from', 'to'],
        additionalProperties: false,
        properties: {
          from: code,
          to: code,
          speedKnots: { type: 'number', exclusiveMinimum: 0, maximum: 60, default: 15 },
        },
      },
    },
  },
  ({ body }, reply) => {
    const [from, to] = [findPort(body.from), findPort(body.to)]
    if (!from || !to) return reply.code(404).send(unknownPort(from ? body.to : body.from))
    const nauticalMiles = distanceNauticalMiles(from, to)
    return {
      from: from.code,
      to: to.code,
      nauticalMiles: Math.round(nauticalMiles),
      hours: Math.round((nauticalMiles / body.speedKnots) * 10) / 10,
    }
  },
)

function unknownPort(wanted: string) {
  return { statusCode: 404, error: 'Not Found', message: `There is no port ${wanted.toUpperCase()}.` }
}

export default app
