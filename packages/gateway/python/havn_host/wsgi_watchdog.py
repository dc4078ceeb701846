"""Looks after the threads of a WSGI host while requests run, and rests when none do."""

import select
import threading
import time

from .process import exit_now

TICK_S = 0.002
# The leader runs a request this long before another thread leads on, if it waits for something.
PROMOTE_S = 0.004
# One that computes leads longer: a second thread could only take turns with it on the GIL, at the cost of both.
PROMOTE_COMPUTING_S = 0.03
# The share of a look in which a thread had a core, from which on it is said to compute.
COMPUTING_SHARE = 0.6
# What is held is sent when the current request has run this long.
LONG_S = 0.001
# The watchdog parks after so many ticks in which nothing happened.
IDLE_TICKS = 25
# A request runs this long before the watchdog reads from the gateway: perhaps nobody else does.
LOOK_S = 0.1
# A host that got a SIGTERM ends when it has been idle for so long.
TERMINATE_S = 1.0

_monotonic = time.monotonic
# Linux has it.
_clock_of = getattr(time, 'pthread_getcpuclockid', None)


class Pace:
    """How much of the time between two looks at a thread it had a core."""

    def __init__(self):
        self._thread = None
        self._clock = None
        self._looked = 0.0
        self._used = 0.0

    def look(self, worker, now):
        """The share since the last look, from 0.0 to 1.0; 0.0 at the first, and where no thread's clock can be read."""
        if _clock_of is None or worker.thread is None:
            return 0.0
        is_first = worker.thread != self._thread
        if is_first:
            self._thread = worker.thread
            self._clock = _clock_of(worker.thread)
        used = time.clock_gettime(self._clock)
        share = 0.0 if is_first else (used - self._used) / (now - self._looked)
        self._looked = now
        self._used = used
        return share


class Watchdog:
    """A thread of its own."""

    def __init__(self, server):
        self.is_parked = False
        self._server = server
        self._parking = threading.Lock()
        self._parking.acquire()
        self._is_terminating = False
        self._pace = Pace()

    def start(self):
        threading.Thread(target=self._watch, name='havn-watchdog', daemon=True).start()

    def unpark(self):
        """Sets it going."""
        self.is_parked = False
        try:
            self._parking.release()
        except RuntimeError:
            # Two threads did it at once.
            pass

    def terminate(self):
        """SIGTERM came. A signal handler runs amid anything: it only leaves word."""
        self._is_terminating = True
        self.unpark()

    def _watch(self):
        poll = select.poll()
        poll.register(self._server.connection.fileno(), 0)
        idle = 0
        while True:
            if idle >= IDLE_TICKS:
                idle = 0
                self._park()
            if self._is_terminating:
                self._is_terminating = False
                threading.Thread(target=self._drain_when_idle, name='havn-drain', daemon=True).start()
            time.sleep(TICK_S)
            idle = 0 if self._tick(poll) else idle + 1

    def _park(self):
        self.is_parked = True
        if self._server.leader.started or self._is_terminating or self._server.connection.has_held():
            # It began before it could see the watchdog parked.
            self.is_parked = False
            return
        self._parking.acquire()

    def _tick(self, poll):
        """One look; True while the leader runs a request."""
        connection = self._server.connection
        leader = self._server.leader
        started = leader.started
        if not started:
            # A thread may have held a response just as it lost the lead.
            connection.flush(is_urgent=False)
            return False
        now = _monotonic()
        running = now - started
        share = self._pace.look(leader, now)
        if running > LONG_S:
            connection.flush(is_urgent=False)
        patience = PROMOTE_COMPUTING_S if share > COMPUTING_SHARE else PROMOTE_S
        if running > patience and not leader.is_pumping:
            self._server.relieve(leader, started)
        if running > LOOK_S:
            if poll.poll(0):
                exit_now(0)
            # No thread is left to lead: a CANCEL, or a PING, must not wait for one.
            self._server.read_waiting()
        return True

    def _drain_when_idle(self):
        """After SIGTERM the gateway may still have requests for this host: it decides, as long as it sends some."""
        idle_since = _monotonic()
        while _monotonic() - idle_since < TERMINATE_S:
            time.sleep(TERMINATE_S / 20)
            if self._server.is_busy():
                idle_since = _monotonic()
        self._server.drain()
