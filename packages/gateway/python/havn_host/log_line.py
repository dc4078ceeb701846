"""The LOG frame."""

from . import frames

# JSON writes a character with at most 12 bytes; a frame holds 1 MiB.
MAX_TEXT = 65536


def encode_log(level, message, code=None, stream=0, traceback=None):
    """`code` is one of app_errors, `stream` the request that the line tells of, 0 for none."""
    line = {'level': level, 'message': message[:MAX_TEXT // 8]}
    if code is not None:
        line['code'] = code
    if traceback is not None:
        # The end of a traceback says most.
        line['traceback'] = traceback[-MAX_TEXT:]
    return frames.encode_json(frames.LOG, line, stream)
