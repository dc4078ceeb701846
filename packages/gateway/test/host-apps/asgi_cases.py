"""ASGI apps for the host's tests: the path names the case."""

import asyncio
import contextvars
import hashlib
import os
import sys

DIRECTORY = os.environ.get('HAVN_TEST_DIRECTORY', '.')
TEXT = [(b'content-type', b'text/plain')]
variable = contextvars.ContextVar('variable', default='unset')
events = []


async def application(scope, receive, send):
    if scope['type'] == 'lifespan':
        raise ValueError('this app has no lifespan')
    name = scope['path'].strip('/').replace('-', '_') or 'hello'
    await globals()['case_' + name](scope, receive, send)


async def answer(send, body, status=200, headers=TEXT):
    await send({'type': 'http.response.start', 'status': status, 'headers': headers})
    await send({'type': 'http.response.body', 'body': body})


async def wait_for(name):
    while not os.path.exists(os.path.join(DIRECTORY, name)):
        await asyncio.sleep(0.005)


async def case_hello(scope, receive, send):
    await answer(send, b'hello')


async def case_events(scope, receive, send):
    await answer(send, ','.join(events).encode())


async def case_scope(scope, receive, send):
    lines = ['%s=%r' % item for item in sorted(scope.items())]
    await answer(send, '\n'.join(lines).encode('utf-8'))


async def case_café(scope, receive, send):
    await case_scope(scope, receive, send)


async def case_echo(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200, 'headers': TEXT})
    more = True
    while more:
        message = await receive()
        more = message.get('more_body', False)
        await send({'type': 'http.response.body', 'body': message.get('body', b''), 'more_body': more})


async def case_digest(scope, receive, send):
    digest = hashlib.sha256()
    size = 0
    more = True
    while more:
        message = await receive()
        digest.update(message['body'])
        size += len(message['body'])
        more = message['more_body']
    await answer(send, ('%d %s' % (size, digest.hexdigest())).encode())


async def case_stream(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200, 'headers': TEXT})
    for _ in range(int(scope['query_string'])):
        await send({'type': 'http.response.body', 'body': b'x' * 65536, 'more_body': True})
    await send({'type': 'http.response.body'})
    events.append('stream')


async def case_big(scope, receive, send):
    await answer(send, b'x' * 1000000)


async def case_forever(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200, 'headers': TEXT})
    try:
        while True:
            await send({'type': 'http.response.body', 'body': b'tick', 'more_body': True})
            await asyncio.sleep(0.002)
    except OSError:
        events.append('gone')
        raise
    except asyncio.CancelledError:
        print('cancelled', file=sys.stderr, flush=True)
        raise


async def case_disconnect(scope, receive, send):
    events.append((await receive())['type'])
    events.append((await receive())['type'])
    events.append((await receive())['type'])


async def case_after(scope, receive, send):
    await answer(send, b'sent')
    events.append((await receive())['type'])
    events.append((await receive())['type'])


async def case_wait(scope, receive, send):
    await wait_for(scope['query_string'].decode())
    await answer(send, b'waited')


async def case_length(scope, receive, send):
    declared, *sizes = [int(number) for number in scope['query_string'].split(b',')]
    headers = [(b'Content-Length', b'%d' % declared)]
    await send({'type': 'http.response.start', 'status': 200, 'headers': headers})
    for number, size in enumerate(sizes, 1):
        more = number < len(sizes)
        await send({'type': 'http.response.body', 'body': b'x' * size, 'more_body': more})


async def case_no_content(scope, receive, send):
    await answer(send, b'ignored', 204, [])


async def case_hop_by_hop(scope, receive, send):
    await answer(send, b'kept', 200, [(b'Connection', b'close'), (b'x-kept', b'1')])


async def case_pathsend(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200, 'headers': TEXT})
    await send({'type': 'http.response.pathsend', 'path': scope['query_string'].decode()})


async def case_pathsend_and_remove(scope, receive, send):
    await case_pathsend(scope, receive, send)
    os.unlink(scope['query_string'].decode())
    events.append('removed')


async def case_trailers(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200, 'headers': TEXT, 'trailers': True})
    await send({'type': 'http.response.body', 'body': b'body'})
    await send({'type': 'http.response.trailers', 'headers': [(b'x-sum', b'1')], 'more_trailers': True})
    await send({'type': 'http.response.trailers', 'headers': [(b'x-end', b'2')]})


async def case_nothing(scope, receive, send):
    pass


async def case_no_body(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200, 'headers': TEXT})


async def case_half(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200, 'headers': TEXT})
    await send({'type': 'http.response.body', 'body': b'half', 'more_body': True})


async def case_raise(scope, receive, send):
    raise ValueError('it broke')


async def case_raise_midway(scope, receive, send):
    await case_half(scope, receive, send)
    raise ValueError('it broke')


async def case_body_first(scope, receive, send):
    await send({'type': 'http.response.body', 'body': b'x'})


async def case_str(scope, receive, send):
    await answer(send, 'text')


async def case_str_header(scope, receive, send):
    await answer(send, b'', 200, [('a', 'b')])


async def case_unknown(scope, receive, send):
    await send({'type': 'http.response.bogus'})


async def case_twice(scope, receive, send):
    await answer(send, b'once')
    await answer(send, b'twice')


async def case_context(scope, receive, send):
    before = variable.get()
    variable.set('leaked')
    await asyncio.sleep(0)
    await answer(send, before.encode())


# Websockets.


async def case_chat(scope, receive, send):
    """Echoes text in capitals and bytes backwards; `close` closes."""
    assert (await receive())['type'] == 'websocket.connect'
    subprotocol = scope['subprotocols'][-1] if scope['subprotocols'] else None
    await send({'type': 'websocket.accept', 'subprotocol': subprotocol, 'headers': [(b'x-a', b'b')]})
    while True:
        message = await receive()
        if message['type'] == 'websocket.disconnect':
            events.append('%d %s' % (message['code'], message['reason']))
            return
        if message['text'] == 'close':
            await send({'type': 'websocket.close', 'code': 4001, 'reason': 'b\u00fce'})
            return
        if message['text'] == 'return':
            return
        if message['text'] == 'raise':
            raise ValueError('it broke')
        if message['text'] is not None:
            await send({'type': 'websocket.send', 'text': message['text'].upper()})
        else:
            await send({'type': 'websocket.send', 'bytes': message['bytes'][::-1]})


async def case_chat_gone(scope, receive, send):
    await receive()
    await send({'type': 'websocket.accept'})
    events.append((await receive())['type'])
    try:
        await send({'type': 'websocket.send', 'text': 'late'})
    except OSError:
        events.append('OSError')


async def case_refuse(scope, receive, send):
    await receive()
    await send({'type': 'websocket.close'})


async def case_deny(scope, receive, send):
    await receive()
    await send({'type': 'websocket.http.response.start', 'status': 401, 'headers': TEXT})
    await send({'type': 'websocket.http.response.body', 'body': b'who ', 'more_body': True})
    await send({'type': 'websocket.http.response.body', 'body': b'are you'})


# Lifespans.


async def with_lifespan(scope, receive, send):
    if scope['type'] != 'lifespan':
        if scope['path'] == '/wait':
            await case_wait(scope, receive, send)
            return
        if scope['path'] == '/forever':
            await case_forever(scope, receive, send)
            return
        scope['state']['count'] = scope['state'].get('count', 0) + 1
        scope['state']['shared'].append(1)
        await answer(send, b'%d %d' % (scope['state']['count'], len(scope['state']['shared'])))
        return
    while True:
        message = await receive()
        if message['type'] == 'lifespan.startup':
            scope['state']['shared'] = []
            await send({'type': 'lifespan.startup.complete'})
        else:
            print('shutting down', file=sys.stderr, flush=True)
            await send({'type': 'lifespan.shutdown.complete'})
            return


async def failing_lifespan(scope, receive, send):
    await receive()
    await send({'type': 'lifespan.startup.failed', 'message': 'no database'})


async def raising_lifespan(scope, receive, send):
    if scope['type'] == 'lifespan':
        await receive()
        raise ValueError('startup broke')
    await answer(send, b'hello')


async def needs_no_lifespan(scope, receive, send):
    if scope['type'] == 'lifespan':
        print('lifespan was called', file=sys.stderr, flush=True)
        return
    await case_scope(scope, receive, send)
