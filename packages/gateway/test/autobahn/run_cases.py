"""kosoku, which runs the Autobahn test suite's case files, with what it lacks for those of compression.

It hands them compressed messages as bytes and others as str, while they were written for bytes alone: a server may
send a small message as it is (RFC 7692, section 5).
"""

import importlib

from kosoku import _caseindex, _cli

_caseindex.initialize_shims()
module = importlib.import_module('case12_x_x')


def with_bytes(on_message):
    def call(self, message, is_binary):
        if isinstance(message, str):
            message = message.encode('latin-1' if is_binary else 'utf-8')
        on_message(self, message, is_binary)

    return call


for case in module.Case12_X_X + module.Case13_X_X:
    case.onMessage = with_bytes(case.onMessage)

_cli.main()
