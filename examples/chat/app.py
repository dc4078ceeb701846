"""
A chat over websockets: `app:app`, an ASGI application.

GET  /         the page
WS   /chat     messages as JSON: {"name": "Ada", "text": "hello"}; each goes to everyone in this worker's room
WS   /echo     sends back every message as it came, text as text and binary as binary
GET  /healthz  200 while the worker answers
"""

import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route, WebSocketRoute

from room import Member, Room

PAGE = Path(__file__).resolve().parent / "templates" / "chat.html"
MAX_NAME = 40
MAX_TEXT = 2000

room = Room()


async def page(request):
    return FileResponse(PAGE, media_type="text/html")


async def healthz(request):
    return JSONResponse({"status": "ok", "members": len(room)})


async def chat(websocket):
    await websocket.accept()
    async with Member(websocket) as member, room.joined_by(member):
        async for text in websocket.iter_text():
            message = parse_message(text)
            if message is None:
                member.send({"type": "error", "text": "Send JSON with a name and a text."})
            else:
                room.broadcast({"type": "message", **message})


def parse_message(text):
    """What a browser sent, cut to size; None when it is not a message."""
    try:
        sent = json.loads(text)
        name, said = sent["name"].strip()[:MAX_NAME], sent["text"].strip()[:MAX_TEXT]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return {"name": name, "text": said} if name and said else None


async def echo(websocket):
    await websocket.accept()
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        # One of the two is there; empty messages count as well.
        if message.get("text") is not None:
            await websocket.send_text(message["text"])
        else:
            await websocket.send_bytes(message["bytes"])


app = Starlette(
    routes=[
        Route("/", page),
        Route("/healthz", healthz),
        WebSocketRoute("/chat", chat),
        WebSocketRoute("/echo", echo),
    ]
)
