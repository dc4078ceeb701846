"""Threads of a WSGI host: one leads, the others follow.

The leader reads the socket and runs requests itself, so that a fast request costs no switch of threads. When one runs
long, the watchdog promotes a spare thread to leader. A thread that waits for credit gives the lead away, or, when
there is no spare thread, reads the socket itself: somebody always reads.
"""

import collections
import select
import signal
import sys
import threading
import time

from . import __version__, app_errors, frames
from .log_line import encode_log
from .process import exit_cleanly, exit_now
from .scoreboard import IDLE, IN_APP, SENDING, Scoreboard
from .wsgi_connection import Connection
from .wsgi_exchange import Exchange
from .wsgi_file import FileWrapper

TICK_S = 0.002
# The leader runs a request this long before another thread leads on.
PROMOTE_S = 0.004
# What is held is sent when the current request has run this long.
LONG_S = 0.001
# Responses are held only while requests are this fast on average.
FAST_S = 0.0005
# The watchdog parks after so many ticks in which nothing happened.
IDLE_TICKS = 25
# Between two looks at whether the gateway is still there, while no thread reads.
LOOK_S = 0.1
# A host that got a SIGTERM ends when it has been idle for so long.
TERMINATE_S = 1.0

_monotonic = time.monotonic


def serve_wsgi(connection, application, settings):
    """Serves until the process ends."""
    Server(connection, application, settings).run()


class Server:
    def __init__(self, connection, application, settings):
        self.application = application
        self.queue = collections.deque()
        self.connection = Connection(connection, self.queue, settings)
        self.connection.on_drain = self._drain
        self.base = _base_environ(settings.threads > 1)
        board = Scoreboard(settings.scoreboard, settings.threads)
        self.workers = [Worker(self, board.slot(number)) for number in range(settings.threads)]
        self.leader = self.workers[0]
        self.is_draining = False
        self.is_parked = False
        # Moving average of seconds a request; it begins slow, so that nothing is held on trust.
        self.average = 1.0
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._spares = []
        self._waiting = []
        self._parking = threading.Lock()
        self._is_terminating = False
        self._warned = set()

    def run(self):
        """The app's requests begin on the main thread, as under a server of one thread."""
        signal.signal(signal.SIGTERM, self._terminate)
        self._parking.acquire()
        threading.Thread(target=self._watch, name='havn-watchdog', daemon=True).start()
        for number, worker in enumerate(self.workers[1:], 1):
            threading.Thread(target=worker.follow, name='havn-%d' % number, daemon=True).start()
        ready = {'threads': len(self.workers), 'lifespan': 'off'}
        self.connection.send(frames.encode_json(frames.READY, ready))
        self.workers[0].lead_and_follow()

    def log(self, level, message, code=None, stream=0, traceback=None):
        self.connection.send(encode_log(level, message, code, stream, traceback))

    def warn_hop_by_hop(self, names, stream):
        """Once a name: an app that does this does it in each response."""
        for name in names:
            if name.lower() not in self._warned:
                self._warned.add(name.lower())
                message = 'The app sent the hop-by-hop header %s, which is the server\'s affair: it is left out.'
                self.log('warn', message % name, app_errors.HOP_BY_HOP, stream)

    def unpark(self):
        """Sets the watchdog going."""
        self.is_parked = False
        try:
            self._parking.release()
        except RuntimeError:
            # Two threads did it at once.
            pass

    def read(self, is_needed):
        """Reads once, unless what the caller reads for has come while it waited for its turn."""
        with self._reading:
            if is_needed():
                self.connection.read()

    def read_waiting(self):
        """Reads what has come already; does nothing while another thread reads."""
        if self._reading.acquire(blocking=False):
            try:
                if self.connection.is_readable():
                    self.connection.read()
            finally:
                self._reading.release()

    def park(self, worker):
        """Makes a thread a spare one, unless there is work that nobody else can begin."""
        self.connection.flush()
        with self._lock:
            if self.queue and self.leader.is_pumping:
                self.leader = worker
                return
            self._spares.append(worker)
        self.check_drained()
        worker.wake.acquire()

    def hand_over(self, worker):
        """Gives the lead from this worker to a spare one, if there is one."""
        with self._lock:
            if self.leader is worker and self._spares:
                self._promote(self._spares.pop())

    def begin_waiting(self, worker):
        with self._lock:
            self._waiting.append(worker)

    def end_waiting(self, worker):
        with self._lock:
            self._waiting.remove(worker)

    def check_drained(self):
        """Ends the process when it drains and nothing is in flight."""
        if self.is_draining and not self._is_busy():
            self.connection.finish()
            exit_cleanly()

    def _is_busy(self):
        if self.connection.streams or self.queue:
            return True
        return any(worker.started for worker in self.workers)

    def _promote(self, worker):
        self.leader = worker
        worker.wake.release()

    def _drain(self):
        self.is_draining = True
        self.check_drained()

    def _terminate(self, number, frame):
        # A signal handler runs amid anything: it only leaves word.
        self._is_terminating = True
        self.unpark()

    def _watch(self):
        poll = select.poll()
        poll.register(self.connection.fileno(), 0)
        idle = 0
        while True:
            if idle >= IDLE_TICKS:
                idle = 0
                self._park_watchdog()
            if self._is_terminating:
                self._is_terminating = False
                threading.Thread(target=self._drain_when_idle, name='havn-drain', daemon=True).start()
            time.sleep(TICK_S)
            idle = 0 if self._tick(poll) else idle + 1

    def _park_watchdog(self):
        self.is_parked = True
        leader = self.leader
        if leader.started or self._is_terminating or self.connection.has_held():
            # It began before it could see the watchdog parked.
            self.is_parked = False
            return
        self._parking.acquire()

    def _tick(self, poll):
        """One look; True while a request runs."""
        leader = self.leader
        started = leader.started
        if not started:
            # A thread may have held a response just as it lost the lead.
            self.connection.flush(is_urgent=False)
            return False
        running = _monotonic() - started
        if running > LONG_S:
            self.connection.flush(is_urgent=False)
        if running > PROMOTE_S and not leader.is_pumping:
            self._relieve(leader, started)
        if running > LOOK_S and poll.poll(0):
            exit_now(0)
        return True

    def _relieve(self, leader, started):
        with self._lock:
            if self.leader is not leader or leader.started != started:
                return
            if self._spares:
                self._promote(self._spares.pop())
            elif self._waiting:
                # It waits for credit, and can as well read while it does.
                worker = self._waiting[0]
                self.leader = worker
                worker.wake_waiting()

    def _drain_when_idle(self):
        """After SIGTERM the gateway may still have requests for this host: it decides, as long as it sends some."""
        idle_since = _monotonic()
        while _monotonic() - idle_since < TERMINATE_S:
            time.sleep(TERMINATE_S / 20)
            if self._is_busy():
                idle_since = _monotonic()
        self._drain()


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
        self._slot = slot
        self._request = None

    def lead_and_follow(self):
        self._lead()
        self.follow()

    def follow(self):
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
        self.started = started = _monotonic()
        self._slot.begin(request.stream, started)
        if server.is_parked:
            server.unpark()
        if request.cancelled:
            self._drop(request)
        else:
            Exchange(self, request).run(server.application, server.base)
        ended = _monotonic()
        self.started = 0.0
        server.average += (ended - started - server.average) * 0.125
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


def _base_environ(is_multithread):
    return {
        'SERVER_SOFTWARE': 'havn/' + __version__,
        'SCRIPT_NAME': '',
        'PATH_INFO': '',
        'QUERY_STRING': '',
        'wsgi.version': (1, 0),
        'wsgi.errors': sys.stderr,
        'wsgi.multithread': is_multithread,
        'wsgi.multiprocess': True,
        'wsgi.run_once': False,
        'wsgi.file_wrapper': FileWrapper,
        'wsgi.input_terminated': True,
    }
