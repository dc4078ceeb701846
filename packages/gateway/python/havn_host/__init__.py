"""Havn's CPython host: runs one WSGI or ASGI app, and speaks frames with the gateway.

docs/reference/host-protocol.md is the protocol. It needs Python 3.9 and the standard library, nothing else.
"""

__version__ = '0.1.0'
