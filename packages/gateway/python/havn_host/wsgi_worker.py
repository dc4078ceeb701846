"""One thread of a WSGI host."""

import threading
import time

from . import frames
from .scoreboard import IDLE, IN_APP, SENDING
from .wsgi_exchange import Exchange

# Responses are held only while requests are this fast on average. A busy machine runs a request of 0.3 ms of CPU in
# more than twice that time: a lower bound switched holding off just where it pays.
FAST_S = 0.002
# One slow request counts as so much: two dozen fast ones outweigh it.
SLOWEST_S = 0.01
# After a request that ran this long, what waits on the socket is read before the next one.
LONG_S = 0.001

_monotonic = time.monotonic


class Worker:
    """One thread that runs requests."""

    def __init__(self, server, slot):
        self.server = server
        self.connection = server.connection
        self.wake = threading.Semaphore(0)
        # When its request began, 0.0 when it has none.
        self.started = 0.0
        # It leads, but only reads until credit comes.
        self.is_pumping = False
        # The identity of its thread, once that runs.
        self.thread = None
        self._slot = slot
        self._request = None

    def lead_and_follow(self):
        self.thread = threading.get_ident()
        self._lead()
        self.follow()

    def follow(self):
        self.thread = threading.get_ident()
        while True:
            self.server.park(self)
            self._lead()

    def finish(self, frame):
        """Sends a complete response, or holds it while requests are fast and this thread comes back soon."""
        server = self.server
        if server.average < FAST_S and server.leader is self:
            self.connection.hold(frame, _monotonic())
        else:
            self.connection.send(frame)

    def wait_for_credit(self, request):
        """Returns when the request has credit or is cancelled."""
        server = self.server
        self.connection.flush()
        event = threading.Event()
        request.wake = event
        self._request = request
        self._slot.phase(request.stream, SENDING, _monotonic())
        server.begin_waiting(self)
        server.hand_over(self)

        def is_needed():
            return request.credit <= 0 and not request.cancelled

        while is_needed():
            if server.leader is self:
                self.is_pumping = True
                server.read(is_needed)
                if server.queue:
                    server.hand_over(self)
            else:
                self.is_pumping = False
                event.clear()
                if is_needed() and server.leader is not self:
                    event.wait()
        self.is_pumping = False
        server.end_waiting(self)
        request.wake = None
        self._request = None
        self._slot.phase(request.stream, IN_APP, _monotonic())

    def look(self):
        """Between chunks of a stream: the leader reads what has come, a CANCEL perhaps."""
        if self.server.leader is self:
            self.server.read_waiting()

    def wake_waiting(self):
        """It became the leader while it waited."""
        request = self._request
        if request is not None and request.wake is not None:
            request.wake.set()

    def _lead(self):
        server = self.server
        queue = server.queue

        def is_empty():
            return not queue

        while server.leader is self:
            try:
                request = queue.popleft()
            except IndexError:
                if server.is_draining:
                    server.check_drained()
                self.connection.flush()
                server.read(is_empty)
                continue
            if self._run(request) > LONG_S:
                # What is queued may have been cancelled meanwhile.
                self.look()

    def _run(self, request):
        """Seconds that it took."""
        server = self.server
        watchdog = server.watchdog
        started = _monotonic()
        # First, since the lead may go to another thread once `started` is set: what the counters say of the requests
        # begun is then true in the order in which they were taken.
        self._slot.begin(request.stream, started)
        self.started = started
        if watchdog.is_parked:
            watchdog.unpark()
        if request.cancelled:
            self._drop(request)
        else:
            Exchange(self, request).run(server.application, server.base)
        ended = _monotonic()
        self.started = 0.0
        server.average += (min(ended - started, SLOWEST_S) - server.average) * 0.125
        self._slot.phase(0, IDLE, ended)
        return ended - started

    def _drop(self, request):
        """Cancelled while it waited: the app never sees it."""
        self.connection.streams.pop(request.stream, None)
        try:
            request.open_input()[0].close()
        except OSError:
            pass
        self.connection.send(frames.encode(frames.CANCEL, 0, request.stream))
