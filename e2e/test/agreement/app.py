"""One app, twice: it appends each request that it has read to its end to a file, and answers with the same line."""

import json
import os

SEEN = os.environ["SEEN"]


def note(method, path, query, host, body):
    line = json.dumps([method, path, query, host, body.decode("latin-1")]) + "\n"
    with open(SEEN, "a") as file:
        file.write(line)
    return line.encode()


def wsgi(environ, start_response):
    source, body = environ["wsgi.input"], b""
    while chunk := source.read(65536):
        body += chunk
    path = environ["SCRIPT_NAME"] + environ["PATH_INFO"]
    answer = note(
        environ["REQUEST_METHOD"], path, environ["QUERY_STRING"], environ.get("HTTP_HOST", ""), body
    )
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    # As WSGI has it: decoded bytes, each as one character.
    path = scope["path"].encode().decode("latin-1")
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    answer = note(scope["method"], path, scope["query_string"].decode("latin-1"), ",".join(hosts), body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
