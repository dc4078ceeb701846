"""An ASGI app for what clients do wrong: each interface has the same paths."""

import asyncio
import json
import os
import tempfile

TEXT = [(b'content-type', b'text/plain')]
CHUNK = b'x' * 65536


async def application(scope, receive, send):
    if scope['type'] == 'websocket':
        await echo(receive, send)
        return
    if scope['type'] != 'http':
        raise ValueError('no lifespan')
    path = scope['path']
    headers = {name.decode('latin-1'): value.decode('latin-1') for name, value in scope['headers']}
    if 'x-what' in headers:
        await answer(send, json.dumps(what(scope, headers, await read(receive))).encode())
    elif path == '/late':
        await asyncio.sleep(3)
        await answer(send, b'late')
    elif path == '/sorry':
        await answer(send, b'internals', 500, [(b'etag', b'"a"'), (b'x-kept', b'yes')])
    elif path == '/fails':
        raise ValueError('as it should')
    elif path == '/upload':
        size = 0
        more = True
        while more:
            message = await receive()
            if message['type'] == 'http.disconnect':
                return
            size += len(message['body'])
            more = message['more_body']
        await answer(send, b'%d bytes' % size)
    elif path == '/endless':
        await send({'type': 'http.response.start', 'status': 200, 'headers': TEXT})
        while True:
            await send({'type': 'http.response.body', 'body': CHUNK, 'more_body': True})
    elif path == '/trailers':
        await send({'type': 'http.response.start', 'status': 200, 'headers': TEXT, 'trailers': True})
        await send({'type': 'http.response.body', 'body': b'hello'})
        await send({'type': 'http.response.trailers', 'headers': [(b'x-sum', b'42')]})
    elif path == '/passing-file':
        name = passing_file()
        await send({'type': 'http.response.start', 'status': 200, 'headers': TEXT})
        await send({'type': 'http.response.pathsend', 'path': name})
        os.unlink(name)
    elif path == '/empty':
        await answer(send, b'', 204, [])
    elif path == '/unchanged':
        await answer(send, b'', 304, [(b'etag', b'"a"')])
    else:
        await answer(send, b'hello')


def passing_file():
    """The name of a file that its response alone needs."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(CHUNK * 5)
    return file.name


def what(scope, headers, body):
    """What the app sees of its request."""
    return {
        'method': scope['method'],
        # In the words of WSGI: bytes as latin-1.
        'path': scope['path'].encode('utf-8', 'surrogateescape').decode('latin-1'),
        'query': scope['query_string'].decode('latin-1'),
        'host': headers.get('host'),
        'client': scope['client'][0],
        'names': sorted(headers),
        'body': body.decode('latin-1'),
    }


async def read(receive):
    body = b''
    more = True
    while more:
        message = await receive()
        body += message['body']
        more = message['more_body']
    return body


async def answer(send, body, status=200, headers=TEXT):
    await send({'type': 'http.response.start', 'status': status, 'headers': headers})
    await send({'type': 'http.response.body', 'body': body})


async def echo(receive, send):
    await receive()
    await send({'type': 'websocket.accept'})
    while True:
        message = await receive()
        if message['type'] == 'websocket.disconnect':
            return
        await send({'type': 'websocket.send', 'text': message['text']})
