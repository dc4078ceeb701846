"""The head of a RESPONSE out of what an app gives, checked."""

HOP_BY_HOP = frozenset(
    (
        'connection',
        'keep-alive',
        'proxy-authenticate',
        'proxy-authorization',
        'te',
        'trailers',
        'transfer-encoding',
        'upgrade',
    )
)
_SPECIAL = HOP_BY_HOP | {'content-length'}

# What encode_asgi_head does with a header, by its name as the app writes it: names repeat, so they are judged once.
_ORDINARY, _LENGTH, _HOP = range(3)
_MAX_KINDS = 1024
_kinds = {}

MAX_HEAD_BYTES = 524288


def encode_wsgi_head(status, headers):
    """(head, status number, Content-Length or None, names of hop-by-hop headers that were left out).

    Raises TypeError and ValueError, in the app's own call of start_response.
    """
    if not isinstance(status, str):
        raise TypeError('The status must be str, such as "200 OK", not %s.' % type(status).__name__)
    number = status[:3]
    if not number.isdigit() or not number.isascii() or status[3:4] not in ('', ' ') or not '200' <= number <= '999':
        raise ValueError('The status must be three digits from 200 and a reason, such as "200 OK", not %r.' % status)
    fields = [status]
    length = None
    dropped = ()
    for name, value in headers:
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError('Headers are pairs of str (PEP 3333), not (%r, %r).' % (name, value))
        lower = name.lower()
        if lower in _SPECIAL:
            if lower in HOP_BY_HOP:
                dropped += (name,)
                continue
            if length is not None:
                raise ValueError('Content-Length is given twice.')
            length = parse_length(value)
        fields.append(name)
        fields.append(value)
    text = '\0'.join(fields)
    if text.count('\0') != len(fields) - 1 or '\r' in text or '\n' in text or '' in fields[1::2]:
        _refuse_characters(fields)
    try:
        head = text.encode('latin-1')
    except UnicodeEncodeError as error:
        raise ValueError(
            'Headers must be latin-1 text (PEP 3333): %r is not.' % text[error.start : error.end]
        ) from None
    _check_size(head)
    return head, int(number), length, dropped


def encode_asgi_head(status, headers):
    """The same for ASGI: status is an int, headers pairs of bytes."""
    if not isinstance(status, int) or not 200 <= status <= 999:
        raise ValueError('The status must be an int from 200 to 999, not %r.' % (status,))
    fields = [b'%d' % status]
    length = None
    dropped = ()
    kinds = _kinds
    for name, value in headers:
        kind = kinds.get(name)
        if kind is None:
            kind = _find_kind(name, value)
        if kind:
            if kind == _HOP:
                dropped += (name.decode('latin-1'),)
                continue
            if length is not None:
                raise ValueError('Content-Length is given twice.')
            length = parse_length(value)
        fields.append(name)
        fields.append(value)
    try:
        head = b'\0'.join(fields)
    except TypeError:
        _check_types(headers)
        raise
    if head.count(b'\0') != len(fields) - 1 or b'\r' in head or b'\n' in head:
        _refuse_characters([field.decode('latin-1') for field in fields])
    _check_size(head)
    return head, length, dropped


def _find_kind(name, value):
    if not isinstance(name, bytes):
        raise TypeError('Headers are pairs of bytes (ASGI), not (%r, %r).' % (name, value))
    if not name:
        raise ValueError('A header has an empty name.')
    lower = name.decode('latin-1').lower()
    kind = _HOP if lower in HOP_BY_HOP else _LENGTH if lower == 'content-length' else _ORDINARY
    if len(_kinds) < _MAX_KINDS:
        _kinds[name] = kind
    return kind


def _check_types(headers):
    for name, value in headers:
        if not isinstance(value, bytes):
            raise TypeError('Headers are pairs of bytes (ASGI), not (%r, %r).' % (name, value))


def encode_pairs(headers):
    """Header names and values in turn, for TRAILERS and WS_ACCEPT."""
    fields = []
    for name, value in headers:
        if not isinstance(name, bytes) or not isinstance(value, bytes):
            raise TypeError('Headers are pairs of bytes (ASGI), not (%r, %r).' % (name, value))
        fields += (name, value)
    data = b'\0'.join(fields)
    if data.count(b'\0') != max(0, len(fields) - 1) or b'\r' in data or b'\n' in data:
        _refuse_characters([b''] + fields)
    return data


def parse_length(value):
    """A Content-Length (RFC 9110 section 8.6)."""
    text = value.strip()
    if not text.isdigit() or not text.isascii():
        raise ValueError('Content-Length must be digits, not %r.' % (value,))
    return int(text)


def _refuse_characters(fields):
    for field in fields:
        if any(character in field for character in '\0\r\n'):
            raise ValueError('A status or header holds a line break or NUL: %r.' % field)
    raise ValueError('A header has an empty name.')


def _check_size(head):
    if len(head) > MAX_HEAD_BYTES:
        raise ValueError('The headers are larger than %d bytes.' % MAX_HEAD_BYTES)
