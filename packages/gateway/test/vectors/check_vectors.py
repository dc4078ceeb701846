"""Checks the CPython host's codec against the vectors; prints each difference, and exits with 1 if there is one."""

import importlib.util
import json
import os
import sys

folder = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location(
    'frames', os.path.join(folder, '..', '..', 'python', 'havn_host', 'frames.py')
)
frames = importlib.util.module_from_spec(spec)
spec.loader.exec_module(frames)

faults = []


def check(name, seen, expected):
    if seen != expected:
        faults.append('%s: %r is not %r' % (name, seen, expected))


def read_vectors(name):
    with open(os.path.join(folder, name), encoding='utf-8') as file:
        return json.load(file)


def check_from_gateway(vector, data):
    meaning = vector.get('meaning')
    expected = [(getattr(frames, vector['type']), vector['flags'], vector['stream'], bytes.fromhex(vector['payload']))]
    check(vector['name'], frames.FrameReader().feed(data), expected)
    split = frames.FrameReader()
    check(vector['name'], [frame for byte in data for frame in split.feed(bytes([byte]))], expected)
    payload = expected[0][3]
    if vector['type'] == 'REQUEST':
        head, body, deadline_ms = frames.decode_request(payload)
        check(vector['name'], head.decode('latin-1').split('\0'), meaning['fields'])
        check(vector['name'], (body.hex(), deadline_ms), (meaning['body'], meaning['deadlineMs']))
    elif vector['type'] == 'CREDIT':
        check(vector['name'], frames.decode_credit(payload), meaning['bytes'])
    elif vector['type'] == 'WS_CLOSE':
        check(vector['name'], frames.decode_close(payload), (meaning['code'], meaning['reason']))


def encode_from_host(vector):
    meaning = vector.get('meaning')
    type_, flags, stream = vector['type'], vector['flags'], vector['stream']
    if type_ in ('HELLO', 'READY', 'FAILED', 'LOG'):
        return frames.encode_json(getattr(frames, type_), meaning, stream)
    if type_ == 'RESPONSE':
        status = ('%d %s' % (meaning['status'], meaning['reason'])).strip()
        head = '\0'.join([status] + meaning['headers']).encode('latin-1')
        return frames.encode_response(stream, flags, head, bytes.fromhex(meaning['body']), meaning['begunS'])
    if type_ == 'FILE':
        return frames.encode_file(stream, meaning['path'].encode('utf-8'), meaning['offset'], meaning['length'])
    if type_ == 'CREDIT':
        return frames.encode_credit(stream, meaning['bytes'])
    if type_ == 'WS_CLOSE':
        return frames.encode_close(stream, meaning['code'], meaning['reason'])
    return frames.encode(getattr(frames, type_), flags, stream, bytes.fromhex(vector['payload']))


for vector in read_vectors('frames.json'):
    data = bytes.fromhex(vector['hex'])
    if vector['from'] == 'gateway':
        check_from_gateway(vector, data)
    else:
        check(vector['name'], encode_from_host(vector).hex(), vector['hex'])

for vector in read_vectors('malformed.json'):
    if vector['from'] == 'gateway':
        try:
            seen = frames.FrameReader().feed(bytes.fromhex(vector['hex']))
            faults.append('%s: it was taken as %r' % (vector['name'], seen))
        except frames.ProtocolError:
            pass

print('\n'.join(faults))
sys.exit(1 if faults else 0)
