"""The lifespan protocol of ASGI: startup, `state`, shutdown."""

import asyncio

from . import app_errors
from .app_errors import describe_error, format_app_traceback
from .asgi_scope import LIFESPAN_VERSIONS
from .loading import LoadingError

ON, UNSUPPORTED, OFF = 'on', 'unsupported', 'off'


class Lifespan:
    """`state` is None until an app has taken part; each request then has a shallow copy of it."""

    def __init__(self, application, log):
        self._application = application
        self._log = log
        self._task = None
        self._events = None
        self._started = None
        self._stopped = None
        self._has_received = False
        self.state = {}

    async def start(self):
        """`on` or `unsupported`; raises LoadingError when the app says that it cannot start."""
        loop = asyncio.get_running_loop()
        self._events = asyncio.Queue()
        self._started = loop.create_future()
        self._stopped = loop.create_future()
        self._events.put_nowait({'type': 'lifespan.startup'})
        self._task = loop.create_task(self._run())
        outcome, words = await self._started
        if outcome == 'failed':
            traceback = words if '\n' in words else ''
            lines = words.strip().splitlines()
            last = lines[-1] if lines else 'it gave no reason'
            raise LoadingError('lifespan', "The app's lifespan startup failed: %s" % last, traceback)
        return outcome

    async def stop(self):
        """Sends the shutdown event, and waits for the app's answer."""
        if self._task is None or self._task.done():
            return
        self._events.put_nowait({'type': 'lifespan.shutdown'})
        words = await self._stopped
        if words is not None:
            self._log('error', "The app's lifespan shutdown failed: %s" % words, app_errors.LIFESPAN)

    async def _run(self):
        scope = {'type': 'lifespan', 'asgi': LIFESPAN_VERSIONS.copy(), 'state': self.state}
        error = None
        try:
            await self._application(scope, self._receive, self._send)
        except asyncio.CancelledError:
            pass
        except BaseException as raised:
            error = raised
        if not self._started.done():
            if error is not None and self._has_received:
                # The specification lets an app raise to say that it has no lifespan; one that took the event may
                # have meant something else.
                message = 'The app raised an exception on lifespan.startup; it is served without lifespan: %s'
                traceback = format_app_traceback(error)
                self._log('warn', message % describe_error(error), app_errors.LIFESPAN, 0, traceback)
            self._started.set_result((UNSUPPORTED, ''))
        elif error is not None:
            message = 'The app raised an exception in its lifespan: %s' % describe_error(error)
            self._log('error', message, app_errors.LIFESPAN, 0, format_app_traceback(error))
        if not self._stopped.done():
            self._stopped.set_result(None)

    async def _receive(self):
        event = await self._events.get()
        self._has_received = True
        return event

    async def _send(self, message):
        kind = message['type']
        if kind == 'lifespan.startup.complete':
            self._settle(self._started, (ON, ''))
        elif kind == 'lifespan.startup.failed':
            self._settle(self._started, ('failed', message.get('message', '')))
        elif kind == 'lifespan.shutdown.complete':
            self._settle(self._stopped, None)
        elif kind == 'lifespan.shutdown.failed':
            self._settle(self._stopped, message.get('message', '') or 'it gave no reason')
        else:
            raise RuntimeError('%r is no message of the lifespan protocol of ASGI.' % (kind,))

    @staticmethod
    def _settle(future, result):
        if not future.done():
            future.set_result(result)
