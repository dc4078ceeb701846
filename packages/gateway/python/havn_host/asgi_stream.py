"""What HTTP and websocket streams share: the run of the app, and credit both ways."""

import asyncio

from . import app_errors, deadline, frames
from .app_errors import describe_error, format_app_traceback


class ClientDisconnected(OSError):
    """send() after the client has gone (ASGI HTTP 2.4)."""


class Stream:
    """One stream between its REQUEST and the end of the app's coroutine."""

    def __init__(self, connection, number, scope):
        self.connection = connection
        self.number = number
        self.scope = scope
        # time.monotonic() when the request came: whoever opens the stream says it.
        self.begun = 0.0
        # Runs the app; whoever opens the stream makes it.
        self.task = None
        # Body bytes that may still be sent.
        self.credit = connection.settings.response_window
        # The gateway wants no more.
        self.is_gone = False
        # It was interrupted at its deadline.
        self.is_overdue = False
        # The last frame of this side is out.
        self.is_done = False
        # The gateway has opened the file that is the response.
        self.is_opened = False
        self._timer = None
        self._send_wait = None
        self._uncredited = 0
        self._credit_batch = connection.settings.body_window // 2

    async def run(self, application):
        """Runs the app; never raises."""
        try:
            result = await application(self.scope, self.receive, self.send)
            if result is not None:
                message = 'The ASGI app returned %s; it should return None.' % type(result).__name__
                self.connection.warn_once('result', message, None, self.log_stream)
            self.finish_incomplete()
        except ClientDisconnected:
            self.fail()
        except asyncio.CancelledError as error:
            if self.is_overdue:
                traceback = format_app_traceback(error)
                self.connection.log('error', deadline.MESSAGE, deadline.CODE, self.log_stream, traceback)
            self.fail()
        except BaseException as error:
            # An app that waits for the disconnect event may well raise out of its wait: that is no fault.
            if not (self.is_gone and isinstance(error, OSError)):
                message = 'The app raised an exception: %s' % describe_error(error)
                self.connection.log(
                    'error', message, app_errors.EXCEPTION, self.log_stream, format_app_traceback(error)
                )
            self.fail()
        finally:
            self._finish()

    def limit(self, seconds):
        """Interrupts the app when it has not returned within so many seconds."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._interrupt)

    def cancel(self):
        """Cancels the app."""
        # A task that is cancelled before its first step never comes to run().
        self.task.add_done_callback(self._end_cancelled)
        self.task.cancel()

    def _interrupt(self):
        self.is_overdue = True
        self.cancel()

    def _end_cancelled(self, task):
        self.fail()
        self._finish()

    def _finish(self):
        if self._timer is not None:
            self._timer.cancel()
        self.release()
        self.connection.finished(self)

    @property
    def log_stream(self):
        """A finished stream's number may belong to another request already."""
        return 0 if self.is_done else self.number

    def end_with(self, frame):
        """Sends this side's last frame; the gateway may then use the number again."""
        self.is_done = True
        self.connection.streams.pop(self.number, None)
        self.connection.send(frame)

    def add_credit(self, size):
        self.credit += size
        self.wake_sender()

    def wake_sender(self):
        waiting = self._send_wait
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def wait_for_credit(self):
        """Returns with credit; raises when the client has gone."""
        while self.credit <= 0:
            await self._wait_to_send()
        self._check_client()

    async def wait_until_opened(self):
        """Returns once the gateway has opened the file of the response; raises when the client has gone."""
        while not self.is_opened:
            await self._wait_to_send()
        self._check_client()

    async def _wait_to_send(self):
        self._check_client()
        self._send_wait = asyncio.get_running_loop().create_future()
        try:
            await self._send_wait
        finally:
            self._send_wait = None

    def _check_client(self):
        if self.is_gone:
            raise ClientDisconnected('The client has gone.')

    def give_credit(self, size, is_urgent=False):
        """Lets the gateway send as much more as the app has taken."""
        self._uncredited += size
        if self._uncredited and (is_urgent or self._uncredited >= self._credit_batch) and not self.is_done:
            self.connection.send(frames.encode_credit(self.number, self._uncredited))
            self._uncredited = 0
