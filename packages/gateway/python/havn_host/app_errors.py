"""An app's mistakes in words: tracebacks without our frames, and the codes of what is logged."""

import os
import traceback

EXCEPTION = 'HAVN_ERR_APP_THREW'
WSGI_BODY = 'HAVN_ERR_APP_WSGI_BODY'
WSGI_START = 'HAVN_ERR_APP_WSGI_START_RESPONSE'
ASGI_INCOMPLETE = 'HAVN_ERR_APP_ASGI_INCOMPLETE'
CONTENT_LENGTH = 'HAVN_ERR_APP_CONTENT_LENGTH'
HOP_BY_HOP = 'HAVN_ERR_APP_HOP_BY_HOP'
LIFESPAN = 'HAVN_ERR_APP_LIFESPAN_RAISED'
REQUEST_BODY = 'HAVN_ERR_APP_REQUEST_BODY'

_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


def format_app_traceback(error):
    """The whole traceback, chained ones too, from the app's first frame on."""
    frames = error.__traceback__
    while frames is not None and _is_ours(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return ''.join(traceback.format_exception(type(error), error, frames))


def describe_error(error):
    """The last line of a traceback."""
    return ''.join(traceback.format_exception_only(type(error), error)).strip().split('\n')[-1]


def _is_ours(filename):
    is_importer = filename.startswith('<frozen importlib') or filename.endswith(
        os.path.join('importlib', '__init__.py')
    )
    return is_importer or filename.startswith(_FOLDER)
