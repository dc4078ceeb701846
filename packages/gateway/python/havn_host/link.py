"""The connection to the gateway."""

import socket
import threading
import time

from .process import exit_now

SOCKET_BUFFER_BYTES = 1 << 20
# The gateway's thread starts beside this process: its socket may not be there yet.
CONNECT_S = 30.0
RETRY_S = 0.005


class Link:
    """Connects and says HELLO; in the background where the socket is not there yet, so that the app loads meanwhile."""

    def __init__(self, path, hello):
        self._path = path
        self._hello = hello
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            self._socket.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
        self._thread = None
        if not self._connect():
            self._thread = threading.Thread(target=self._keep_trying, name='havn-connect', daemon=True)
            self._thread.start()

    def wait(self):
        """The connected socket; HELLO has been sent."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        return self._socket

    def close(self):
        self._socket.close()

    def _keep_trying(self):
        deadline = time.monotonic() + CONNECT_S
        while time.monotonic() < deadline:
            time.sleep(RETRY_S)
            if self._connect():
                return
        # The gateway is gone.
        exit_now(0)

    def _connect(self):
        try:
            self._socket.connect(self._path)
        except OSError:
            return False
        send_all(self._socket, self._hello)
        return True


def send_all(connection, frame):
    """Sends a frame, or ends the process: there is nobody left to serve."""
    try:
        connection.sendall(frame)
    except OSError:
        exit_now(0)
