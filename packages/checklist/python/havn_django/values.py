"""Settings' values as JSON: types kept as far as rules need them, secrets measured and left out."""

import os
import re

MAX_TEXT = 2000
MAX_ITEMS = 2000
MAX_DEPTH = 8
MAX_COST = 20_000
# Text that stands in for what the deployment gives, wherever it turns up.
FAKE = "havn-fake"

_SECRET = re.compile(
    r"(?:^|_)(?:SECRET|SECRETS|SECRET_KEY_FALLBACKS|KEY|TOKEN|PASSWORD|PASSWD|PASS|SIGNATURE|CREDENTIALS|DSN)$", re.I
)
_NO_SECRET = re.compile(r"PUBLIC_KEY$|SITE_?KEY$", re.I)
_URL_PASSWORD = re.compile(r"(://[^/?#\s:@]*:)[^/?#\s@]+(?=@)")


def is_secret(name):
    return bool(_SECRET.search(name)) and not _NO_SECRET.search(name)


class Budget:
    """What one setting may take up: lists of lists of one list are short to write."""

    def __init__(self):
        self._left = MAX_COST

    def take(self, cost=1):
        """False once it is used up."""
        self._left -= cost
        return self._left >= 0


def describe(name, value):
    """One setting: its type's name, its value, and whether text of ours is in it."""
    return {
        "type": type(value).__name__,
        "value": to_json(value, is_secret(name), Budget()),
        "fake": has_fake(value, Budget()),
    }


def to_json(value, secret, budget, depth=0):
    if not budget.take():
        return None
    if value is None or isinstance(value, (bool, int)):
        return value if not isinstance(value, int) or abs(value) < 2**53 else repr_of_number(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, (str, bytes)):
        text = value[:MAX_TEXT] if isinstance(value, str) else repr(value[:MAX_TEXT])
        budget.take(len(text) // 32)
        return measured(value) if secret else redacted(text)
    if depth >= MAX_DEPTH:
        return {"$type": type(value).__name__}
    if isinstance(value, dict):
        items = list(value.items())[:MAX_ITEMS]
        return {
            str(key)[:MAX_TEXT]: to_json(item, secret or is_secret(str(key)), budget, depth + 1) for key, item in items
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
        return [to_json(item, secret, budget, depth + 1) for item in list(items)[:MAX_ITEMS]]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if is_lazy(value):
        return redacted(str(value)[:MAX_TEXT])
    kind = value if isinstance(value, type) or callable(value) and hasattr(value, "__qualname__") else type(value)
    return {"$type": "%s.%s" % (kind.__module__, kind.__qualname__)}


def repr_of_number(value):
    return str(value) if value.bit_length() < 10_000 else "a number of %d bits" % value.bit_length()


def is_lazy(value):
    return type(value).__name__ == "__proxy__"


def measured(value):
    """What rules may know of a secret."""
    text = value if isinstance(value, str) else value.decode("latin-1")
    return {
        "$secret": {
            "length": len(text),
            "uniqueCharacters": len(set(text)),
            "isInsecure": text.startswith("django-insecure-"),
            "isEmpty": not text,
        }
    }


def redacted(text):
    return _URL_PASSWORD.sub(r"\1***", text)


def has_fake(value, budget, depth=0):
    if not budget.take():
        return False
    if isinstance(value, (str, bytes, os.PathLike)):
        text = os.fspath(value)
        return FAKE in (text if isinstance(text, str) else text.decode("latin-1"))
    if depth >= MAX_DEPTH:
        return False
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple, set, frozenset)) else ()
    return any(has_fake(item, budget, depth + 1) for item in list(items)[:MAX_ITEMS])
