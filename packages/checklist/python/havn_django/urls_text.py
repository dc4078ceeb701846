"""Where a URL configuration's text has its routes."""

import ast

from .expressions import last_name
from .source_file import SourceFile

MAX_ROUTES = 500
_CALLS = frozenset(("path", "re_path", "url", "static"))


def routes(path):
    """First arguments of `path()`, `re_path()` and `static()`, each as it is written, with its place."""
    try:
        source = SourceFile(path)
    except (OSError, SyntaxError, ValueError):
        return []
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and node.args and last_name(node.func) in _CALLS and len(found) < MAX_ROUTES:
            first = node.args[0]
            text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
            found.append({"function": last_name(node.func), "route": text, "place": source.place(node)})
    return found
