"""Calls every method of test.Echo at `127.0.0.1:PORT` over TLS, and prints what came of it as JSON."""

import json
import sys
import time

import grpc

port, certificate = sys.argv[1:3]
with open(certificate, "rb") as file:
    credentials = grpc.ssl_channel_credentials(file.read())
options = [
    ("grpc.ssl_target_name_override", "shop.internal"),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]
seen = {}
with grpc.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
    unary = channel.unary_unary("/test.Echo/Unary")
    metadata = [("x-text", "a"), ("x-data-bin", b"\x00\x01\xff")]
    answer, call = unary.with_call(b"hello", metadata=metadata, timeout=20)
    seen["unary"] = answer.decode()
    seen["initial"] = {k: repr(v) for k, v in call.initial_metadata() if k.startswith("x-")}
    seen["trailing"] = {k: repr(v) for k, v in call.trailing_metadata() if k.startswith("x-")}
    large = bytes(range(256)) * 40_000
    seen["large"] = unary(large, timeout=60) == large
    seen["empty"] = unary(b"", timeout=20) == b""

    try:
        channel.unary_unary("/test.Echo/Fail")(b"", timeout=20)
    except grpc.RpcError as error:
        trailing = {k: v for k, v in error.trailing_metadata() if k.startswith("x-")}
        seen["fail"] = [error.code().name, error.details(), trailing]

    answers = channel.unary_stream("/test.Echo/ServerStream")(b"1000", timeout=20)
    seen["serverStream"] = [answer.decode() for answer in answers] == [str(n) for n in range(1000)]
    parts = (b"x" * 1000 for _ in range(500))
    seen["clientStream"] = channel.stream_unary("/test.Echo/ClientStream")(parts, timeout=20).decode()

    # Each message waits for the answer to the one before: whoever holds anything back holds up all.
    turns = []

    def requests():
        for number in range(5):
            deadline = time.monotonic() + 20
            while len(turns) < number and time.monotonic() < deadline:
                time.sleep(0.001)
            yield str(number).encode()

    for answer in channel.stream_stream("/test.Echo/Bidi")(requests(), timeout=30):
        turns.append(answer.decode())
    seen["bidi"] = turns

    try:
        channel.unary_unary("/test.Echo/Wait")(b"", timeout=0.3)
    except grpc.RpcError as error:
        seen["deadline"] = error.code().name
    call = channel.unary_unary("/test.Echo/Wait").future(b"", timeout=20)
    time.sleep(0.3)
    call.cancel()
    seen["cancelled"] = call.code().name
    try:
        channel.unary_unary("/test.Echo/Nothing")(b"", timeout=20)
    except grpc.RpcError as error:
        seen["unimplemented"] = error.code().name
print(json.dumps(seen))
