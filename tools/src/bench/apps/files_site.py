"""WhiteNoise in front of nothing, as its documentation shows it for plain WSGI apps."""

import os

from whitenoise import WhiteNoise


def nothing(environ, start_response):
    start_response("404 Not Found", [("Content-Length", "0")])
    return []


application = WhiteNoise(nothing, root=os.environ["BENCH_FILES"], prefix="static/")
