"""Who is in the room, and how what one says reaches the others."""

import asyncio
import json
from contextlib import asynccontextmanager

from starlette.websockets import WebSocketDisconnect

MAX_WAITING = 100


class Room:
    """Everyone who is connected to this worker. Other workers have rooms of their own."""

    def __init__(self):
        self._members = set()

    def __len__(self):
        return len(self._members)

    @asynccontextmanager
    async def joined_by(self, member):
        self._members.add(member)
        self.broadcast({"type": "members", "count": len(self)})
        try:
            yield
        finally:
            self._members.discard(member)
            self.broadcast({"type": "members", "count": len(self)})

    def broadcast(self, message):
        for member in self._members:
            member.send(message)


class Member:
    """One connection. Messages wait in a queue of its own, so that a slow reader holds up nobody else."""

    def __init__(self, websocket):
        self._websocket = websocket
        self._waiting = asyncio.Queue(MAX_WAITING)
        self._sender = None

    def send(self, message):
        if self._waiting.full():
            # What a slow reader missed is lost, oldest first.
            self._waiting.get_nowait()
        self._waiting.put_nowait(json.dumps(message))

    async def __aenter__(self):
        self._sender = asyncio.create_task(self._send_waiting())
        return self

    async def __aexit__(self, *exception):
        self._sender.cancel()
        await asyncio.gather(self._sender, return_exceptions=True)

    async def _send_waiting(self):
        while True:
            text = await self._waiting.get()
            try:
                await self._websocket.send_text(text)
            except (WebSocketDisconnect, RuntimeError, OSError):
                return
