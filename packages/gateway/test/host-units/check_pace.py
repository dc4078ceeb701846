"""Prints what is wrong with the watchdog's view of a thread that computes and of one that sleeps."""

import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'python'))

from havn_host.wsgi_watchdog import Pace  # noqa: E402


class Worker:
    thread = None


def share_of(work):
    """What Pace says of a thread that does this until it is told to end."""
    worker, ends = Worker(), threading.Event()
    thread = threading.Thread(target=lambda: work(ends), daemon=True)
    thread.start()
    worker.thread = thread.ident
    pace = Pace()
    first = pace.look(worker, time.monotonic())
    time.sleep(0.2)
    share = pace.look(worker, time.monotonic())
    ends.set()
    thread.join()
    return first, share


def compute(ends):
    while not ends.is_set():
        pass


first, asleep = share_of(lambda ends: ends.wait())
if first != 0.0:
    print('the first look says', first)
if asleep > 0.05:
    print('a thread that sleeps had', asleep)
_, busy = share_of(compute)
# Of a machine that is busy with other things it may get little.
if not 0.05 < busy <= 1.1:
    print('a thread that computes had', busy)
if Pace().look(Worker(), time.monotonic()) != 0.0:
    print('a thread that has not begun had some')
