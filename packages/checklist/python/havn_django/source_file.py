"""A Python file's tree, and places in it as editors count them: from 1, columns in UTF-16 units, the end exclusive."""

import ast
import io
import tokenize

MAX_BYTES = 1024 * 1024


class SourceFile:
    def __init__(self, path):
        """Raises OSError, SyntaxError or ValueError where the file cannot be read as Python."""
        self.path = path
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError("more than 1 MiB")
        self._has_mark = content.startswith(b"\xef\xbb\xbf")
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
        self._lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        try:
            self.tree = ast.parse(text, path)
        except (RecursionError, MemoryError):
            raise ValueError("nested too deeply") from None

    def place(self, node):
        return [
            node.lineno, self._column(node.lineno, node.col_offset),
            node.end_lineno, self._column(node.end_lineno, node.end_col_offset),
        ]

    def _column(self, line, offset):
        """`ast` counts bytes of UTF-8."""
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        before = text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore")
        return len(before.encode("utf-16-le", "surrogatepass")) // 2 + 1 + (1 if line == 1 and self._has_mark else 0)
