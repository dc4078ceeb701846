"""Frames of the host protocol: constants, encoding and a strict reader."""

import json
import struct

HELLO, READY, FAILED, REQUEST, BODY, CREDIT, CANCEL, RESPONSE, TRAILERS, FILE = range(1, 11)
WS_ACCEPT, WS_MESSAGE, WS_CLOSE, LOG, DRAIN, PING, PONG, OPENED = range(11, 19)

END, TEXT, MORE, IN_FILE = 1, 2, 4, 8

HEADER = struct.Struct('<IBBHI')
HEADER_BYTES = 12
MAX_DATA_BYTES = 65536
MAX_PAYLOAD_BYTES = 1048576
TO_THE_END = 0xFFFFFFFFFFFFFFFF

_pack = HEADER.pack
_unpack = HEADER.unpack_from
_U32 = struct.Struct('<I')
_REQUEST = struct.Struct('<II')
# A frame's header, then the start of a RESPONSE.
_RESPONSE = struct.Struct('<IBBHIId')
_FILE = struct.Struct('<QQ')
_CLOSE = struct.Struct('<H')
_pack_response = _RESPONSE.pack

# What the gateway may send: type -> (name, on a stream, flags allowed, fewest bytes, most bytes).
_RULES = {
    REQUEST: ('REQUEST', True, END | IN_FILE, 8, MAX_PAYLOAD_BYTES),
    BODY: ('BODY', True, END, 0, MAX_DATA_BYTES),
    CREDIT: ('CREDIT', True, 0, 4, 4),
    CANCEL: ('CANCEL', True, 0, 0, 0),
    WS_MESSAGE: ('WS_MESSAGE', True, TEXT | MORE, 0, MAX_DATA_BYTES),
    WS_CLOSE: ('WS_CLOSE', True, END, 2, MAX_PAYLOAD_BYTES),
    DRAIN: ('DRAIN', False, 0, 0, 0),
    PING: ('PING', False, 0, 0, 64),
    PONG: ('PONG', False, 0, 0, 64),
    OPENED: ('OPENED', True, 0, 0, 0),
}


class ProtocolError(Exception):
    """The gateway sent what the protocol does not allow."""


class FrameReader:
    """Turns the gateway's bytes into frames, however they are split."""

    def __init__(self):
        self._rest = b''

    def feed(self, chunk):
        """The frames that the chunk completes, as (type, flags, stream, payload)."""
        data = self._rest + chunk if self._rest else chunk
        frames = []
        offset = 0
        size = len(data)
        while size - offset >= HEADER_BYTES:
            length, type_, flags, reserved, stream = _unpack(data, offset)
            rule = _RULES.get(type_)
            if (
                rule is None
                or reserved
                or flags & ~rule[2]
                or not rule[3] <= length <= rule[4]
                or rule[1] is not (stream != 0)
                or (flags == 0 and type_ == WS_CLOSE)
                or flags == IN_FILE
            ):
                raise ProtocolError(_fault(length, type_, flags, reserved, stream))
            end = offset + HEADER_BYTES + length
            if end > size:
                break
            frames.append((type_, flags, stream, data[offset + HEADER_BYTES : end]))
            offset = end
        self._rest = data[offset:] if offset else data
        return frames


def encode(type_, flags, stream, payload=b''):
    """One frame."""
    return _pack(len(payload), type_, flags, 0, stream) + payload


def encode_json(type_, value, stream=0):
    """A HELLO, READY, FAILED or LOG frame."""
    payload = json.dumps(value, default=str).encode('ascii')
    return encode(type_, 0, stream, payload)


def encode_response(stream, flags, head, body=b'', begun=0.0):
    """A RESPONSE with its body, or the beginning of it; `begun` is time.monotonic() as the request began."""
    size = len(head)
    return _pack_response(12 + size + len(body), RESPONSE, flags, 0, stream, size, begun) + head + body


def encode_file(stream, path, offset, length):
    """A FILE frame; `path` is bytes, `length` None for all that is left."""
    start = _FILE.pack(offset, TO_THE_END if length is None else length)
    return encode(FILE, 0, stream, start + path)


def encode_credit(stream, size):
    return encode(CREDIT, 0, stream, _U32.pack(size))


def encode_close(stream, code, reason):
    """A WS_CLOSE frame; `reason` is str."""
    return encode(WS_CLOSE, END, stream, _CLOSE.pack(code) + reason.encode('utf-8'))


def decode_credit(payload):
    return _U32.unpack(payload)[0]


def decode_close(payload):
    return _CLOSE.unpack_from(payload)[0], payload[2:].decode('utf-8', 'replace')


def decode_request(payload):
    """(head, body or its beginning, deadline in milliseconds)."""
    size, deadline_ms = _REQUEST.unpack_from(payload)
    start = 8 + size
    if start > len(payload):
        raise ProtocolError('REQUEST has a head of %d bytes beyond its end' % size)
    return payload[8:start], payload[start:], deadline_ms


def _fault(length, type_, flags, reserved, stream):
    rule = _RULES.get(type_)
    if rule is None:
        return 'the gateway does not send frames of type %d' % type_
    seen = 'length %d, flags %d, reserved %d, stream %d' % (length, flags, reserved, stream)
    return '%s is malformed: %s' % (rule[0], seen)
