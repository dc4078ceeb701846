"""The ASGI counterpart of `faults`."""

import asyncio
import os
import time

from faults import note


async def application(scope, receive, send):
    if scope['type'] == 'lifespan':
        raise NotImplementedError
    path = scope['path']
    note('%s %s' % (scope['method'], path))
    if path == '/wait':
        try:
            await asyncio.sleep(3600)
        finally:
            note('cleaned up')
    elif path == '/block':
        time.sleep(3600)
    elif path == '/die':
        os._exit(7)
    size = 0
    while True:
        event = await receive()
        size += len(event.get('body', b''))
        if not event.get('more_body'):
            break
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': b'%d %d' % (os.getpid(), size)})
