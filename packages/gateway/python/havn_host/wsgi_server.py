"""Threads of a WSGI host: one leads, the others follow.

The leader reads the socket and runs requests itself, so that a fast request costs no switch of threads. When one runs
long, the watchdog promotes a spare thread to leader. A thread that waits for credit gives the lead away, or, when
there is no spare thread, reads the socket itself: somebody always reads.
"""

import collections
import signal
import sys
import threading

from . import __version__, app_errors, frames
from .log_line import encode_log
from .process import exit_cleanly
from .scoreboard import Scoreboard
from .wsgi_connection import Connection
from .wsgi_deadline import GuardedApplication
from .wsgi_file import FileWrapper
from .wsgi_watchdog import Watchdog
from .wsgi_worker import SLOWEST_S, Worker


def serve_wsgi(connection, application, settings):
    """Serves until the process ends."""
    Server(connection, application, settings).run()


class Server:
    def __init__(self, connection, application, settings):
        self.application = GuardedApplication(application) if settings.deadlines else application
        self.queue = collections.deque()
        self.connection = Connection(connection, self.queue, settings)
        self.connection.on_drain = self.drain
        self.base = _base_environ(settings.threads > 1)
        board = Scoreboard(settings.scoreboard, settings.threads)
        self.workers = [Worker(self, board.slot(number)) for number in range(settings.threads)]
        self.leader = self.workers[0]
        self.is_draining = False
        # Moving average of seconds a request; it begins slow, so that nothing is held on trust.
        self.average = SLOWEST_S
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._spares = []
        self._waiting = []
        self._warned = set()
        self.watchdog = Watchdog(self)

    def run(self):
        """The app's requests begin on the main thread, as under a server of one thread."""
        signal.signal(signal.SIGTERM, lambda number, frame: self.watchdog.terminate())
        self.watchdog.start()
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
        if self.is_draining and not self.is_busy():
            self.connection.finish()
            exit_cleanly(self.connection.socket)

    def _promote(self, worker):
        self.leader = worker
        worker.wake.release()

    def drain(self):
        """Ends the process once nothing is in flight."""
        self.is_draining = True
        self.check_drained()

    def relieve(self, leader, started):
        """Gives the lead of a thread whose request runs long to another one that can at least read."""
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

    def is_busy(self):
        """True while anything is in flight."""
        if self.connection.streams or self.queue:
            return True
        return any(worker.started for worker in self.workers)


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
