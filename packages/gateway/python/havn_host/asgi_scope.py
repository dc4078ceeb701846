"""A scope (ASGI 3) out of a REQUEST's head."""

from .frames import ProtocolError

VERSIONS = {'version': '3.0', 'spec_version': '2.5'}
LIFESPAN_VERSIONS = {'version': '3.0', 'spec_version': '2.0'}

_FIXED = 12

# Fields that have few values.
_WORDS = {
    word.encode('ascii'): word
    for word in (
        *('http', 'websocket', 'https', 'ws', 'wss', '1.0', '1.1', '2'),
        *('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
    )
}


def build_scope(head, state, deadline):
    fields = head.split(b'\0')
    if len(fields) < _FIXED or len(fields) % 2:
        raise ProtocolError('REQUEST has a head of %d fields' % len(fields))
    kind, version, method, scheme, path, raw_path, query, root_path = fields[:8]
    client, client_port, server, server_port = fields[8:_FIXED]
    headers = iter(fields[_FIXED:])
    scope = {
        'type': _word(kind),
        'asgi': VERSIONS.copy(),
        'http_version': _word(version),
        'scheme': _word(scheme),
        'path': path.decode('utf-8', 'replace'),
        'raw_path': raw_path,
        'query_string': query,
        'root_path': root_path.decode('utf-8', 'replace') if root_path else '',
        'headers': list(zip(headers, headers)),
        'client': (client.decode('latin-1'), int(client_port or 0)) if client else None,
        'server': (server.decode('latin-1'), int(server_port) if server_port else None) if server else None,
    }
    if kind == b'http':
        scope['method'] = _word(method)
        scope['extensions'] = {'http.response.pathsend': {}, 'http.response.trailers': {}}
    elif kind == b'websocket':
        scope['subprotocols'] = _find_subprotocols(scope['headers'])
        scope['extensions'] = {'websocket.http.response': {}}
    else:
        raise ProtocolError('REQUEST of type %r' % scope['type'])
    if deadline is not None:
        scope['extensions']['havn.deadline'] = {'monotonic': deadline}
    if state is not None:
        scope['state'] = state.copy()
    return scope


def _word(field):
    return _WORDS.get(field) or field.decode('latin-1')


def _find_subprotocols(headers):
    values = [value.decode('latin-1') for name, value in headers if name == b'sec-websocket-protocol']
    return [part.strip() for value in values for part in value.split(',') if part.strip()]
