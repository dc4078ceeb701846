"""A server of gRPC on a free port, which it prints; then a line for each call that was cancelled."""

import sys
import time
from concurrent import futures

import grpc


def echo_metadata(context):
    sent = [(key, value) for key, value in context.invocation_metadata() if key in ("x-text", "x-data-bin")]
    context.send_initial_metadata(sent)
    context.set_trailing_metadata([("x-trailer", "t"), ("x-trailer-bin", b"\x00\xff")])


def unary(request, context):
    echo_metadata(context)
    return request


def fail(request, context):
    context.set_trailing_metadata([("x-trailer", "t")])
    context.abort(grpc.StatusCode.NOT_FOUND, "ä 100 %")


def server_stream(request, context):
    for number in range(int(request)):
        yield str(number).encode()


def client_stream(requests, context):
    return str(sum(len(request) for request in requests)).encode()


def bidi(requests, context):
    for request in requests:
        yield request


def wait(request, context):
    context.add_callback(lambda: print("over", flush=True))
    print("begun", flush=True)
    while context.is_active():
        time.sleep(0.01)
    return request


handler = grpc.method_handlers_generic_handler(
    "test.Echo",
    {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
        "ServerStream": grpc.unary_stream_rpc_method_handler(server_stream),
        "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream),
        "Bidi": grpc.stream_stream_rpc_method_handler(bidi),
        "Wait": grpc.unary_unary_rpc_method_handler(wait),
    },
)
server = grpc.server(
    futures.ThreadPoolExecutor(max_workers=20),
    handlers=[handler],
    options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(None)
