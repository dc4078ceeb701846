import { describe, expect, test } from 'vitest'
import type { AsgiApp } from './events.ts'
import { startLifespan } from './lifespan.ts'

const coded = (code: string): unknown => expect.objectContaining({ code: `HAVN_ERR_${code}` })

/** The specification's own example. */
function app(onEvent: (type: string) => void = () => {}): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type !== 'lifespan') throw new Error(`cannot serve ${scope.type}`)
    for (;;) {
      const event = await receive()
      onEvent(event.type)
      if (event.type === 'lifespan.startup') {
        scope.state!.database = 'open'
        await send({ type: 'lifespan.startup.complete' })
      } else if (event.type === 'lifespan.shutdown') {
        await send({ type: 'lifespan.shutdown.complete' })
        return
      }
    }
  }
}

test('startup, state, shutdown, in turn and once', async () => {
  const events: string[] = []
  const lifespan = await startLifespan(app((type) => events.push(type)))
  expect(lifespan.status).toBe('on')
  expect(lifespan.state).toEqual({ database: 'open' })
  expect(events).toEqual(['lifespan.startup'])
  await lifespan.shutdown()
  await lifespan.shutdown()
  expect(events).toEqual(['lifespan.startup', 'lifespan.shutdown'])
})

describe('not supported', () => {
  const reason = new Error('only http')
  test.each<[string, AsgiApp, unknown]>([
    ['an app that raises at once', async () => Promise.reject(reason), reason],
    [
      'an app that throws synchronously',
      () => {
        throw reason
      },
      reason,
    ],
    [
      'an app that raises on the event',
      async (_scope, receive) => {
        await receive()
        throw reason
      },
      reason,
    ],
    ['an app that returns', async () => {}, undefined],
  ])('%s is served without', async (_name, app, seen) => {
    const lifespan = await startLifespan(app)
    expect(lifespan).toMatchObject({ status: 'unsupported', reason: seen })
    await lifespan.shutdown()
  })

  test('mode "on" makes that an error: ASGI_LIFESPAN_UNSUPPORTED', async () => {
    const starting = startLifespan(async () => Promise.reject(reason), { mode: 'on' })
    await expect(starting).rejects.toEqual(coded('ASGI_LIFESPAN_UNSUPPORTED'))
  })

  test('mode "off" does not ask', async () => {
    const lifespan = await startLifespan(
      () => {
        throw reason
      },
      { mode: 'off' },
    )
    expect(lifespan.status).toBe('off')
  })
})

describe('failed', () => {
  test("ASGI_LIFESPAN_STARTUP_FAILED has the app's message, even when the app raises after it", async () => {
    const failing: AsgiApp = async (_scope, receive, send) => {
      await receive()
      await send({ type: 'lifespan.startup.failed', message: 'no database' })
      throw new Error('later')
    }
    const starting = startLifespan(failing)
    await expect(starting).rejects.toEqual(coded('ASGI_LIFESPAN_STARTUP_FAILED'))
    await expect(starting).rejects.toThrow(/no database/)
  })

  test.each<[string, AsgiApp]>([
    [
      'sends it',
      async (_scope, receive, send) => {
        await receive()
        await send({ type: 'lifespan.startup.complete' })
        await receive()
        await send({ type: 'lifespan.shutdown.failed', message: 'busy' })
      },
    ],
    [
      'raises',
      async (_scope, receive, send) => {
        await receive()
        await send({ type: 'lifespan.startup.complete' })
        await receive()
        throw new Error('busy')
      },
    ],
  ])('ASGI_LIFESPAN_SHUTDOWN_FAILED when the app %s', async (_name, app) => {
    const lifespan = await startLifespan(app)
    await expect(lifespan.shutdown()).rejects.toEqual(coded('ASGI_LIFESPAN_SHUTDOWN_FAILED'))
  })

  test('an app that has returned after its startup has nothing to clean up', async () => {
    const lifespan = await startLifespan(async (_scope, receive, send) => {
      await receive()
      await send({ type: 'lifespan.startup.complete' })
    })
    await lifespan.shutdown()
  })

  test('ASGI_LIFESPAN_TIMEOUT', async () => {
    const silent: AsgiApp = async (_scope, receive) => {
      await receive()
      await new Promise(() => {})
    }
    await expect(startLifespan(silent, { startupTimeoutMs: 10 })).rejects.toEqual(
      coded('ASGI_LIFESPAN_TIMEOUT'),
    )
  })

  test('ASGI_LIFESPAN_ORDER and unknown events reject send', async () => {
    const errors: unknown[] = []
    await startLifespan(async (_scope, receive, send) => {
      await receive()
      await send({ type: 'lifespan.shutdown.complete' }).catch((error: unknown) => errors.push(error))
      await send({ type: 'http.response.body' }).catch((error: unknown) => errors.push(error))
      await send({ type: 'lifespan.startup.complete' })
    })
    expect(errors).toEqual([coded('ASGI_LIFESPAN_ORDER'), coded('ASGI_EVENT_TYPE')])
  })
})
