import { afterAll, expect, test } from 'vitest'
import app from '../app.ts'

afterAll(() => app.close())

async function get(url: string) {
  const response = await app.inject(url)
  return { status: response.statusCode, body: response.json() }
}

async function post(body: object) {
  const response = await app.inject({ method: 'POST', url: '/distance', body })
  return { status: response.statusCode, body: response.json() }
}

test('lists ports, and finds them by a part of their name', async () => {
  expect((await get('/ports')).body.ports).toHaveLength(5)
  expect((await get('/ports?name=pen')).body.ports).toEqual([expect.objectContaining({ code: 'DKCPH' })])
})

test('shows one port', async () => {
  expect((await get('/ports/dkcph')).body.name).toBe('Copenhagen')
  expect(await get('/ports/XXXXX')).toMatchObject({
    status: 404,
    body: { message: 'There is no port XXXXX.' },
  })
  expect((await get('/ports/toolong')).status).toBe(400)
})

test('measures a voyage', async () => {
  expect(await post({ from: 'USNYC', to: 'NLRTM', speedKnots: 20 })).toEqual({
    status: 200,
    body: { from: 'USNYC', to: 'NLRTM', nauticalMiles: 3162, hours: 158.1 },
  })
})

test.each([{}, { from: 'DKCPH' }, { from: 'DKCPH', to: 1 }, { from: 'DKCPH', to: 'SGSIN', speedKnots: -1 }])(
  'refuses %j',
  async (body) => {
    const { status, body: answer } = await post(body)
    expect(status).toBe(400)
    expect(answer.code).toBe('FST_ERR_VALIDATION')
  },
)
