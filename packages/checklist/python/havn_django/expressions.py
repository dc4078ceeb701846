"""What expressions of settings read, hold and name."""

import ast

from . import values

MAX_STRINGS = 400
# Names of functions that read one variable of the environment, and of their methods (django-environ, environs).
_READERS = frozenset((
    "getenv", "env", "config", "get_env", "get_env_variable", "get_env_value", "get_env_setting", "env_var", "getvar",
))
_CASTS = frozenset((
    "get", "str", "bool", "int", "float", "list", "tuple", "dict", "json", "url", "db", "db_url", "dj_db_url", "cache",
    "cache_url", "dj_cache_url", "email", "email_url", "dj_email_url", "search_url", "path", "unicode", "bytes", "get_value",
    "decimal", "enum", "log_level", "timedelta", "channels", "channels_url",
))


def environment_reads(node, readers=frozenset()):
    """Names of variables that an expression reads, and whether each has text for a default."""
    found = []
    for each in ast.walk(node):
        if isinstance(each, ast.Subscript) and last_name(each.value) == "environ":
            name = constant_index(each)
            if isinstance(name, str):
                found.append((name, False))
        elif isinstance(each, ast.Call) and each.args and is_reader(each.func, readers):
            name = each.args[0].value if isinstance(each.args[0], ast.Constant) else None
            if isinstance(name, str) and name.isidentifier():
                default = default_of(each)
                has_default = isinstance(default, ast.Constant) and isinstance(default.value, str) and default.value != ""
                found.append((name, has_default))
        elif isinstance(each, ast.Compare) and isinstance(each.ops[0], (ast.In, ast.NotIn)):
            # "X" in os.environ
            if last_name(each.comparators[0]) == "environ" and isinstance(each.left, ast.Constant):
                found.append((str(each.left.value), False))
    return found


def is_reader(function, readers):
    """`os.getenv`, `os.environ.get`, `env`, `env.bool`, `config`, or a function that does the same."""
    name = last_name(function)
    if isinstance(function, ast.Name):
        return name in readers or name in _READERS
    if isinstance(function, ast.Attribute):
        owner = last_name(function.value)
        return name == "getenv" or owner == "environ" and name == "get" or owner in ("env", "environ") and name in _CASTS
    return False


def reads_by_argument(function):
    """A function that reads the variable whose name it is given."""
    names = {arg.arg for arg in function.args.args}
    for each in ast.walk(function):
        if isinstance(each, ast.Subscript) and last_name(each.value) == "environ":
            read = each.slice.value if type(each.slice).__name__ == "Index" else each.slice
        elif isinstance(each, ast.Call) and each.args and is_reader(each.func, ()):
            read = each.args[0]
        else:
            continue
        if isinstance(read, ast.Name) and read.id in names:
            return True
    return False


def default_of(call):
    if len(call.args) > 1:
        return call.args[1]
    return next((word.value for word in call.keywords if word.arg == "default"), None)


def constant_index(node):
    index = node.slice.value if type(node.slice).__name__ == "Index" else node.slice
    return index.value if isinstance(index, ast.Constant) else None


def is_literal(node):
    try:
        ast.literal_eval(node)
        return True
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False


def strings_in(source, node):
    hidden = secret_nodes(node)
    found = []
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and len(each.value) <= 200 and each not in hidden:
            found.append([values.redacted(each.value), source.place(each)])
            if len(found) >= MAX_STRINGS:
                break
    return found


def secret_nodes(node):
    """All below what a secret's name stands before: in dicts, as keywords, and as defaults of variables."""
    secrets = []
    for each in ast.walk(node):
        if isinstance(each, ast.Dict):
            secrets += [value for key, value in zip(each.keys, each.values) if is_secret_text(key)]
        elif isinstance(each, ast.Call):
            secrets += [word.value for word in each.keywords if word.arg and values.is_secret(word.arg)]
            if each.args and is_secret_text(each.args[0]):
                secrets += [*each.args[1:], *(word.value for word in each.keywords)]
    return {inner for each in secrets for inner in ast.walk(each)}


def is_secret_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and values.is_secret(node.value)


def keys_in(source, node, path=()):
    """Where each key of nested dicts stands: `default.OPTIONS.timeout`, with the place of its value."""
    found = {}
    if path and isinstance(node, ast.Assign):
        found[".".join(path)] = source.place(node.value)
        node = node.value
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values):
            if isinstance(key, ast.Constant) and len(found) < MAX_STRINGS:
                here = (*path, str(key.value))
                found[".".join(here)] = source.place(value)
                if len(here) < 8:
                    found.update(keys_in(source, value, here))
    elif isinstance(node, (ast.List, ast.Tuple)):
        for at, value in enumerate(node.elts[:100]):
            if isinstance(value, ast.Dict):
                found.update(keys_in(source, value, (*path, str(at))))
    return found


def subscript_path(node):
    """`DATABASES["default"]["CONN_MAX_AGE"] = 60` is `default`, `CONN_MAX_AGE`."""
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    path = []
    while isinstance(target, ast.Subscript):
        index = constant_index(target)
        if index is None:
            return ()
        path.insert(0, str(index))
        target = target.value
    return tuple(path)


def last_name(node):
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def root_name(node):
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
