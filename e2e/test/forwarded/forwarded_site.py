"""A Django site that tells what it knows of its client, and a WebSocket beside it that does the same."""

import copy
import json

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="of a test",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[],
)
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.urls import re_path  # noqa: E402

#: How a site is set up that knows of no proxy, and how one that is told to believe it.
WAYS = {
    "plain": {"SECURE_PROXY_SSL_HEADER": None, "USE_X_FORWARDED_HOST": False},
    "believing": {
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        "USE_X_FORWARDED_HOST": True,
    },
}
NAMES = ("FORWARDED", "X_REAL", "X_HOP", "X_KEPT")


def look(request):
    seen = {"address": request.META["REMOTE_ADDR"]}
    for way, values in WAYS.items():
        with override_settings(**values):
            # Django remembers what it found out of a request.
            fresh = copy.copy(request)
            fresh.__dict__.pop("_current_scheme_host", None)
            seen[way] = [fresh.get_host(), fresh.is_secure(), fresh.build_absolute_uri()]
    seen["headers"] = {
        key.removeprefix("HTTP_"): value
        for key, value in request.META.items()
        if any(name in key for name in NAMES)
    }
    return JsonResponse(seen)


urlpatterns = [re_path("", look)]
wsgi = get_wsgi_application()
django_asgi = get_asgi_application()


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    if scope["type"] == "http":
        return await django_asgi(scope, receive, send)
    headers = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        headers[key] = ",".join(filter(None, [headers.get(key), value.decode("latin-1")]))
    seen = {
        "address": scope["client"][0],
        "scheme": scope["scheme"],
        "host": headers["HOST"],
        "headers": {key: value for key, value in headers.items() if any(name in key for name in NAMES)},
    }
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": json.dumps(seen)})
    await send({"type": "websocket.close", "code": 1000})
