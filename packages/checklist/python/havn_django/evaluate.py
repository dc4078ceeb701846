"""Values of expressions in settings, as far as their text tells: literals, names, the environment with its defaults."""

import ast
import contextlib

from .expressions import default_of, environment_reads, last_name

UNKNOWN = object()
_TEXT_METHODS = frozenset(("split", "strip", "lower", "upper"))
_MAX_DEPTH = 30
_MAX_ITEMS = 2000
_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False, "": False}


class Scope:
    """Names that a module has assigned so far."""

    def __init__(self, environment):
        self._environment = environment
        self._values = {}
        self._mode = "certain"
        # Names may come from elsewhere, too: what is missing is unknown.
        self.is_open = False

    def known(self):
        return {name: value for name, value in self._values.items() if value is not UNKNOWN}

    @contextlib.contextmanager
    def _in_mode(self, mode):
        before = self._mode
        if before != "ignored":
            self._mode = mode
        yield
        self._mode = before

    def uncertain(self):
        """What is assigned meanwhile may or may not be."""
        return self._in_mode("uncertain")

    def ignored(self):
        """What is assigned meanwhile is not."""
        return self._in_mode("ignored")

    def assign(self, name, node):
        self._put(name, self.value(node))

    def forget(self, name):
        self._put(name, UNKNOWN)

    def augment(self, name, node):
        old, more = self._values.get(name, UNKNOWN), self.value(node.value)
        self._put(name, self._add(old, more) if isinstance(node.op, ast.Add) else UNKNOWN)

    def change(self, name, call):
        """`MIDDLEWARE.append("x")`; any other change makes the value unknown."""
        old = self._values.get(name, UNKNOWN)
        args = [self.value(arg) for arg in call.args]
        changed = UNKNOWN
        if isinstance(call.func.value, ast.Name) and isinstance(old, list) and UNKNOWN not in args:
            if call.func.attr == "append" and len(args) == 1:
                changed = [*old, args[0]]
            elif call.func.attr == "insert" and len(args) == 2 and isinstance(args[0], int):
                changed = list(old)
                changed.insert(*args)
            elif call.func.attr == "extend" and len(args) == 1 and isinstance(args[0], (list, tuple)):
                changed = [*old, *args[0]]
        self._put(name, changed)

    def truth(self, node):
        value = self.value(node)
        return None if value is UNKNOWN else bool(value)

    def _put(self, name, value):
        if self._mode == "ignored":
            return
        if self._mode == "uncertain" and (name not in self._values or self._values[name] != value):
            value = UNKNOWN
        self._values[name] = value

    def value(self, node, depth=0):
        if depth > _MAX_DEPTH:
            return UNKNOWN
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._values.get(node.id, UNKNOWN)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return self._sequence(node, depth)
        if isinstance(node, ast.Dict):
            return self._mapping(node, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._add(self.value(node.left, depth + 1), self.value(node.right, depth + 1))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            left, right = self.value(node.left, depth + 1), self.value(node.right, depth + 1)
            is_small = all(type(each) is int and abs(each) < 2**40 for each in (left, right))
            return left * right if is_small else UNKNOWN
        if isinstance(node, ast.UnaryOp):
            return self._unary(node, depth)
        if isinstance(node, ast.BoolOp):
            return self._bool(node, depth)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._compare(node, depth)
        if isinstance(node, ast.IfExp):
            test = self.value(node.test, depth + 1)
            return UNKNOWN if test is UNKNOWN else self.value(node.body if test else node.orelse, depth + 1)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _TEXT_METHODS:
            return self._text(node, depth)
        if isinstance(node, (ast.Call, ast.Subscript)):
            return self._from_environment(node, depth)
        return UNKNOWN

    def _sequence(self, node, depth):
        items = []
        for each in node.elts:
            value = self.value(each.value if isinstance(each, ast.Starred) else each, depth + 1)
            if value is UNKNOWN:
                return UNKNOWN
            if isinstance(each, ast.Starred):
                if not isinstance(value, (list, tuple, set)):
                    return UNKNOWN
                items.extend(value)
            else:
                items.append(value)
        if isinstance(node, ast.Tuple):
            return tuple(items)
        try:
            return set(items) if isinstance(node, ast.Set) else items
        except TypeError:
            return UNKNOWN

    def _mapping(self, node, depth):
        """Unknown values are left out: what is known of DATABASES helps without its password."""
        found = {}
        for key, item in zip(node.keys, node.values):
            name = UNKNOWN if key is None else self.value(key, depth + 1)
            if name is UNKNOWN or not isinstance(name, (str, int)):
                return UNKNOWN
            value = self.value(item, depth + 1)
            found[name] = {} if value is UNKNOWN and isinstance(item, ast.Dict) else None if value is UNKNOWN else value
        return found

    def _add(self, left, right):
        is_same = type(left) is type(right) and isinstance(left, (str, list, tuple, int))
        return left + right if is_same and (isinstance(left, int) or len(left) + len(right) < _MAX_ITEMS) else UNKNOWN

    def _unary(self, node, depth):
        value = self.value(node.operand, depth + 1)
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(node.op, ast.Not):
            return not value
        return -value if isinstance(node.op, ast.USub) and isinstance(value, (int, float)) else UNKNOWN

    def _bool(self, node, depth):
        is_or = isinstance(node.op, ast.Or)
        value = UNKNOWN
        for each in node.values:
            value = self.value(each, depth + 1)
            if value is UNKNOWN or bool(value) == is_or:
                return value
        return value

    def _compare(self, node, depth):
        left, right = self.value(node.left, depth + 1), self.value(node.comparators[0], depth + 1)
        if left is UNKNOWN or right is UNKNOWN:
            return UNKNOWN
        operator = node.ops[0]
        try:
            if isinstance(operator, (ast.Eq, ast.Is)):
                return left == right
            if isinstance(operator, (ast.NotEq, ast.IsNot)):
                return left != right
            if isinstance(operator, ast.In):
                return left in right
            if isinstance(operator, ast.NotIn):
                return left not in right
        except TypeError:
            pass
        return UNKNOWN

    def _text(self, node, depth):
        """`os.environ.get("HOSTS", "*").split(",")`, and the case of flags."""
        text = self.value(node.func.value, depth + 1)
        args = [self.value(arg, depth + 1) for arg in node.args]
        if not isinstance(text, str) or not all(isinstance(arg, str) for arg in args) or node.keywords:
            return UNKNOWN
        try:
            return getattr(text, node.func.attr)(*args)
        except (TypeError, ValueError):
            return UNKNOWN

    def _from_environment(self, node, depth):
        reads = environment_reads(node)
        if len(reads) != 1:
            return UNKNOWN
        name, _ = reads[0]
        given = self._environment.get(name)
        function = last_name(node.func) if isinstance(node, ast.Call) else ""
        # os.environ.get(...).split(",") and other calls around the reading one are not understood.
        if isinstance(node, ast.Call) and not (node.args and isinstance(node.args[0], ast.Constant)):
            return UNKNOWN
        if given is None:
            if not isinstance(node, ast.Call):
                return UNKNOWN
            default = default_of(node)
            if default is None:
                return None if function in ("get", "getenv") else UNKNOWN
            return self.value(default, depth + 1)
        if function in ("get", "getenv") or isinstance(node, ast.Subscript):
            return given
        if function == "bool" or any(word.arg == "cast" and last_name(word.value) == "bool" for word in node.keywords):
            return _FLAGS.get(given.lower(), UNKNOWN)
        return UNKNOWN
