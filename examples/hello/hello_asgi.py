"""The smallest ASGI app (ASGI 3)."""


async def application(scope, receive, send):
    assert scope["type"] == "http"
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"Hello, World!\n"})
