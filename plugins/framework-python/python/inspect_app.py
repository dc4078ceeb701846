"""
Finds the WSGI or ASGI application in Python sources by their syntax, imports it as a server would, and prints what
it is, as one JSON object.

Usage: python inspect_app.py '{"files": ["app.py"], "target": null, "timeout": 60}'
The working directory is the project's; `files` are read in their order when no target is given. Standard library
alone; Python 3.9 or newer.
"""

import ast
import faulthandler
import importlib
import importlib.metadata
import inspect
import json
import os
import sys
import traceback

FRAMEWORKS = {
    "flask.Flask": "Flask",
    "fastapi.FastAPI": "FastAPI",
    "starlette.applications.Starlette": "Starlette",
    "quart.Quart": "Quart",
    "litestar.Litestar": "Litestar",
    "falcon.App": "Falcon",
    "falcon.asgi.App": "Falcon",
    "bottle.Bottle": "Bottle",
    "pyramid.router.Router": "Pyramid",
    "sanic.Sanic": "Sanic",
}
APP_NAMES = ("application", "app", "api", "server", "asgi_app", "wsgi_app", "asgi", "wsgi")
FACTORY_NAMES = ("create_app", "make_app", "create_application", "make_application", "get_app", "build_app")
HEALTH_PATHS = (
    "/healthz", "/healthz/", "/health", "/health/", "/livez", "/up", "/ping", "/ping/", "/-/health", "/_health",
    "/api/health", "/api/healthz", "/status",
)


def main():
    # What the app prints must not mix with the answer: it keeps a descriptor of its own, and theirs is stderr.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = json.loads(sys.argv[1])
    # An import that hangs says where, in its own words.
    faulthandler.dump_traceback_later(request["timeout"], exit=True)
    sys.path[0] = os.getcwd()
    json.dump(examine(request), answer, default=str)
    answer.flush()
    sys.stderr.flush()
    # Threads that the app has started do not keep this process.
    os._exit(0)


def examine(request):
    if request["target"]:
        return load({"target": request["target"], "folder": None, "file": None, "line": None})
    candidates, broken = [], None
    for rank, file in enumerate(request["files"]):
        try:
            found = find_candidates(file)
        except SyntaxError:
            broken = broken or (rank, failure("import", module_of(file)[0]))
            continue
        candidates.extend((candidate["score"], rank, candidate) for candidate in found)
    candidates.sort(key=lambda each: (-each[0], each[1]))
    # A broken file matters where the app would be looked for first; a later one may be for another Python.
    if broken and (not candidates or broken[0] < candidates[0][1]):
        return broken[1]
    if not candidates:
        return {"ok": False, "reason": "not-found"}
    first = None
    for _, _, candidate in candidates:
        result = load(candidate)
        # What only looked like an app by its name makes way for the next; any other failure is the user's to see.
        if result["ok"] or result["reason"] not in ("not-callable", "interface", "attribute"):
            return result
        first = first or result
    return first


def find_candidates(file):
    """Top-level names that are, by syntax, an application or a factory of one."""
    with open(file, "rb") as source:
        tree = ast.parse(source.read(), file)
    imports, found = {}, []
    module, folder = module_of(file)
    stem = os.path.basename(file)[:-3]
    usual = stem in ("wsgi", "asgi", "app", "main", "application", "server", "__init__", "api")

    def add(name, score, line, called=False):
        # These modules exist to be served, whatever they make their app from.
        if stem in ("wsgi", "asgi") and name in APP_NAMES[:2]:
            score += 2
        if not any(each["name"] == name for each in found):
            target = "%s:%s%s" % (module, name, "()" if called else "")
            found.append({"name": name, "target": target, "score": score, "folder": folder, "file": file, "line": line})

    for node in top_level(tree.body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                imports[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name
                imports[name] = "%s.%s" % (node.module or "", alias.name)
                if name in APP_NAMES[:2] and usual and node.module:
                    add(name, 3, node.lineno)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            kind = called_name(node.value, imports)
            for target in targets:
                if not isinstance(target, ast.Name):
                    continue
                if kind in FRAMEWORKS:
                    add(target.id, 4 if target.id in APP_NAMES else 3, node.lineno)
                elif target.id in APP_NAMES and not isinstance(node.value, ast.Constant):
                    add(target.id, 4 if usual and target.id in APP_NAMES[:2] else 2, node.lineno)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names = [arg.arg for arg in node.args.posonlyargs + node.args.args]
            required = len(names) - len(node.args.defaults)
            is_asgi = names == ["scope", "receive", "send"] or (node.name in APP_NAMES and required == 3)
            is_wsgi = names[:2] == ["environ", "start_response"] or (node.name in APP_NAMES and required == 2)
            if is_asgi or is_wsgi:
                add(node.name, 4 if node.name in APP_NAMES else 2, node.lineno)
            elif node.name in FACTORY_NAMES and required == 0 and isinstance(node, ast.FunctionDef):
                add(node.name, 1, node.lineno, called=True)
    return found


def top_level(body):
    """Statements of the module, also those under `if` and `try`, but not the script's own `__main__`."""
    for node in body:
        if isinstance(node, ast.If):
            if not is_main_guard(node.test):
                yield from top_level(node.body)
                yield from top_level(node.orelse)
        elif isinstance(node, ast.Try):
            for part in (node.body, *(handler.body for handler in node.handlers), node.orelse):
                yield from top_level(part)
        else:
            yield node


def is_main_guard(test):
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def called_name(value, imports):
    """`flask.Flask` for `Flask(__name__)` and for `flask.Flask(__name__)`, by what was imported."""
    if not isinstance(value, ast.Call):
        return None
    parts, function = [], value.func
    while isinstance(function, ast.Attribute):
        parts.insert(0, function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return None
    full = ".".join([imports.get(function.id, function.id), *parts])
    # FastAPI and others give their classes under several names.
    last = full.rsplit(".", 1)[-1]
    package = full.split(".")[0]
    for known in FRAMEWORKS:
        if full == known or (package == known.split(".")[0] and last == known.rsplit(".", 1)[-1]):
            return known
    return full


def module_of(file):
    """The module's name, and the folder that must be on the path for it beside the working directory, if any."""
    parts = file[:-3].split("/")
    folder = None
    if parts[0] == "src" and len(parts) > 1 and not os.path.exists("src/__init__.py"):
        folder, parts = "src", parts[1:]
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts), folder


def load(candidate):
    module, _, attribute = candidate["target"].partition(":")
    attribute = attribute or "application"
    folder = candidate["folder"]
    if folder and os.path.abspath(folder) not in sys.path:
        sys.path.insert(1, os.path.abspath(folder))
    try:
        found = importlib.import_module(module)
    except BaseException:
        return failure("import", candidate["target"])
    for name in attribute.replace("()", "").split("."):
        if not hasattr(found, name):
            names = [each for each in vars(found) if not each.startswith("_")] if hasattr(found, "__dict__") else []
            return {"ok": False, "reason": "attribute", "target": candidate["target"], "names": names}
        found = getattr(found, name)
    target = "%s:%s" % (module, attribute)
    if not attribute.endswith("()") and is_factory(found):
        target += "()"
    if target.endswith("()"):
        try:
            found = found()
        except BaseException:
            return failure("import", target)
    return describe(found, target, candidate)


def is_factory(value):
    """A function that needs no arguments cannot be an application."""
    if not inspect.isfunction(value):
        return False
    parameters = inspect.signature(value).parameters.values()
    return not any(is_required(each) or each.kind == each.VAR_POSITIONAL for each in parameters)


def is_required(parameter):
    return parameter.default is parameter.empty and parameter.kind in (
        parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD,
    )


def describe(app, target, candidate):
    kind = type(app)
    name = "%s.%s" % (kind.__module__, kind.__qualname__)
    if not callable(app):
        return {"ok": False, "reason": "not-callable", "target": target, "type": name}
    interface, because = interface_of(app, target)
    if interface is None:
        return {"ok": False, "reason": "interface", "target": target, "type": name, "signature": because}
    framework, version = framework_of(kind)
    return {
        "ok": True,
        "target": target,
        "folder": candidate["folder"],
        "file": candidate["file"],
        "line": candidate["line"],
        "interface": interface,
        "because": because,
        "framework": framework,
        "version": version,
        "health": health_path(app),
    }


def interface_of(app, target):
    """PEP 3333: two positional arguments. ASGI 3: three, awaited."""
    call = app if inspect.isfunction(app) or inspect.isclass(app) or inspect.ismethod(app) else type(app).__call__
    if inspect.iscoroutinefunction(call):
        return "asgi", "%s is awaited" % target
    try:
        parameters = list(inspect.signature(app).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [each.name for each in parameters]
    required = sum(1 for each in parameters if is_required(each))
    if required == 3:
        return "asgi", "%s takes %s" % (target, ", ".join(names[:3]))
    if required == 2:
        return "wsgi", "%s takes %s" % (target, ", ".join(names[:2]))
    module = target.partition(":")[0].rsplit(".", 1)[-1]
    if module in ("wsgi", "asgi"):
        return module, "the module is called %s" % module
    return None, "(%s)" % ", ".join(str(each) for each in parameters)


def framework_of(kind):
    for base in kind.__mro__:
        package = base.__module__.split(".")[0]
        for known, name in FRAMEWORKS.items():
            if package == known.split(".")[0] and base.__name__ == known.rsplit(".", 1)[-1]:
                try:
                    return name, importlib.metadata.version(package)
                except importlib.metadata.PackageNotFoundError:
                    return name, None
    return None, None


def health_path(app):
    """A usual health URL among the app's own routes."""
    try:
        rules = getattr(app, "url_map", None)
        if rules is not None:
            paths = {rule.rule for rule in rules.iter_rules() if "GET" in (rule.methods or ())}
        else:
            paths = {getattr(route, "path", None) for route in getattr(app, "routes", None) or ()}
        return next((path for path in HEALTH_PATHS if path in paths), None)
    except Exception:
        return None


def failure(reason, target):
    """The exception at hand, with the app's own part of its traceback."""
    kind, error, trace = sys.exc_info()
    while trace is not None and is_ours(trace):
        trace = trace.tb_next
    own = isinstance(error, ModuleNotFoundError) and error.name and (target.partition(":")[0] + ".").startswith(error.name + ".")
    return {
        "ok": False,
        "reason": "no-module" if own and trace is None else reason,
        "target": target,
        "type": kind.__name__,
        "message": str(error),
        "exitCode": error.code if isinstance(error, SystemExit) else None,
        "missingModule": error.name if isinstance(error, ModuleNotFoundError) else None,
        "traceback": "".join(traceback.format_exception(kind, error, trace)).rstrip(),
    }


def is_ours(trace):
    file = trace.tb_frame.f_code.co_filename
    return file == __file__ or file.startswith("<frozen importlib") or file.endswith(("importlib/__init__.py", "/ast.py"))


main()
