"""The event loop of an ASGI host, from the app's import to the end of its lifespan."""

import asyncio
import signal

from . import frames
from .asgi_connection import AsgiConnection
from .asgi_lifespan import OFF, ON, Lifespan
from .loading import load_app
from .process import exit_cleanly
from .scoreboard import Scoreboard

# A host that got a SIGTERM ends when it has been idle for so long.
TERMINATE_S = 1.0


def serve_asgi(connect, settings):
    """Serves until the process ends, on the socket that connect() returns once the app is loaded; raises LoadingError."""
    loop = _new_loop()
    # Apps of Python 3.9 take this loop as they make locks and queues on import.
    asyncio.set_event_loop(loop)
    application = load_app(settings)
    asyncio.set_event_loop(loop)
    connection = connect()
    loop.run_until_complete(_serve(connection, application, settings))
    exit_cleanly(connection)


async def _serve(connection, application, settings):
    loop = asyncio.get_running_loop()
    slot = Scoreboard(settings.scoreboard, 1).slot(0)
    protocol = AsgiConnection(application, settings, slot)
    drained = Drain(protocol, settings)
    connection.setblocking(False)
    await loop.create_unix_connection(lambda: protocol, sock=connection)
    lifespan = None
    outcome = OFF
    if settings.lifespan != 'off':
        lifespan = Lifespan(application, protocol.log)
        outcome = await lifespan.start()
        protocol.state = lifespan.state if outcome == ON else None
    protocol.send(frames.encode_json(frames.READY, {'threads': 0, 'lifespan': outcome}))
    await drained.wait()
    if lifespan is not None:
        await lifespan.stop()
    await protocol.write_all()


class Drain:
    """Waits for DRAIN, and then for the requests in flight."""

    def __init__(self, protocol, settings):
        loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._drain_ms = settings.drain_ms
        self._asked = asyncio.Event()
        self._idle = asyncio.Event()
        self._terminating = None
        protocol.on_drain = self._asked.set
        protocol.on_idle = self._idle.set
        loop.add_signal_handler(signal.SIGTERM, self._terminate)

    async def wait(self):
        await self._asked.wait()
        protocol = self._protocol
        deadline = asyncio.get_running_loop().time() + self._drain_ms / 1000 if self._drain_ms else None
        while not protocol.is_idle:
            self._idle.clear()
            try:
                left = None if deadline is None else max(0, deadline - asyncio.get_running_loop().time())
                await asyncio.wait_for(self._idle.wait(), left)
            except asyncio.TimeoutError:
                protocol.cancel_all()
                deadline = None

    def _terminate(self):
        if self._terminating is None:
            self._terminating = asyncio.ensure_future(self._drain_when_idle())

    async def _drain_when_idle(self):
        """After SIGTERM the gateway may still have requests for this host: it decides, as long as it sends some."""
        loop = asyncio.get_running_loop()
        idle_since = loop.time()
        while loop.time() - idle_since < TERMINATE_S:
            await asyncio.sleep(TERMINATE_S / 20)
            if not self._protocol.is_idle:
                idle_since = loop.time()
        self._asked.set()


def _new_loop():
    """uvloop where the app's environment has it."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
