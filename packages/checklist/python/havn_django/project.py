"""Looks at a booted project from inside: its settings, its apps, its URLs, and what Django itself finds."""

import importlib
import inspect as introspection
import os
import sys
import traceback

from . import values
from .sandbox import NetworkIsOff, WritingIsOff

MAX_MESSAGES = 500
MAX_PATTERNS = 5000
MAX_URLS = 200
MAX_FRAMES = 40
HEALTH_PATHS = (
    "healthz", "health", "livez", "readyz", "up", "ping", "-/health", "_health", "health-check", "health_check",
    "api/health", "api/healthz", "api/ping", "status",
)


def inspect(request):
    """What could be read, and the failure that ended it, if any."""
    import django
    from django.apps import apps
    from django.conf import LazySettings, settings

    report = {"settings": None, "failure": None}
    setup = LazySettings._setup

    def setup_and_note(self, name=None):
        setup(self, name)
        if report["settings"] is None:
            report["settings"] = read_settings(self)
            report["module"] = os.environ.get("DJANGO_SETTINGS_MODULE")
            reach_no_database(self)

    LazySettings._setup = setup_and_note
    if request["module"]:
        os.environ["DJANGO_SETTINGS_MODULE"] = request["module"]
    stage = "settings"
    try:
        if request["entry"]:
            # Where nothing names the settings, running the entry does.
            importlib.import_module(request["entry"])
        settings.INSTALLED_APPS
        stage = "apps"
        django.setup()
        stage = "secret"
        # Django reads it at the first signature only: an empty one would fail requests, not the start.
        settings.SECRET_KEY
        report["apps"] = [{"name": app.name, "isProject": is_project_file(app.path)} for app in apps.get_app_configs()]
        stage = "urls"
        report["urls"] = read_urls()
        stage = "checks"
        report["messages"] = run_checks()
    except BaseException as error:
        report["failure"] = failure(stage, error)
    if report["failure"] is None:
        report["missingMigrations"] = missing_migrations(apps)
    return report


def read_settings(settings):
    from django.conf import global_settings

    found = {}
    for name in dir(settings._wrapped):
        if not name.isupper():
            continue
        try:
            value = getattr(settings._wrapped, name)
            described = values.describe(name, value)
        except Exception as error:
            described = {"type": type(error).__name__, "value": None, "fake": False}
        described["isDefault"] = not settings.is_overridden(name) and hasattr(global_settings, name)
        found[name] = described
    return found


def reach_no_database(settings):
    """Checks of models ask their database what it can do; libraries in native code know of no audit hook."""
    databases = settings._wrapped.DATABASES
    if not isinstance(databases, dict):
        return
    for database in databases.values():
        engine = str(database.get("ENGINE", ""))
        if "sqlite" in engine or "spatialite" in engine:
            database["NAME"] = ":memory:"
        else:
            # A Unix socket that is not there.
            database.update(HOST="/nonexistent", PORT="")
            database.pop("OPTIONS", None)


def run_checks():
    from django.conf import settings
    from django.core import checks

    found = []
    for message in checks.run_checks(include_deployment_checks=True)[:MAX_MESSAGES]:
        found.append({
            "id": message.id or "",
            "level": message.level,
            "message": str(message.msg)[:2000],
            "hint": str(message.hint)[:2000] if message.hint else None,
            "object": describe_object(message.obj),
            "isSilenced": message.is_silenced() or message.id in settings.SILENCED_SYSTEM_CHECKS,
            "isProject": is_of_project(message.obj),
            "line": line_of(message.obj),
        })
    return found


def describe_object(obj):
    if obj is None:
        return None
    label = getattr(getattr(obj, "_meta", None), "label", None)
    try:
        return str(label or obj)[:300]
    except Exception:
        return type(obj).__name__


def owner_of(obj):
    """The class that a message is about: a model, that of a field, an admin's, a view's."""
    for each in (getattr(obj, "model", None), obj, type(obj)):
        if isinstance(each, type) and each.__module__ not in ("builtins", __name__):
            return each
    return None


def is_of_project(obj):
    owner = None if obj is None or isinstance(obj, str) else owner_of(obj)
    if owner is None:
        return True
    module = sys.modules.get(owner.__module__)
    return is_project_file(getattr(module, "__file__", None)) or owner.__module__.startswith("django.")


def line_of(obj):
    """`[file, line]` of the class, and of its field where that is what it is about."""
    owner = None if obj is None or isinstance(obj, str) else owner_of(obj)
    module = sys.modules.get(owner.__module__) if owner is not None else None
    if not is_project_file(getattr(module, "__file__", None)):
        return None
    try:
        lines, first = introspection.getsourcelines(owner)
    except (OSError, TypeError):
        return None
    name = getattr(obj, "name", None)
    if isinstance(name, str) and name.isidentifier():
        for at, line in enumerate(lines):
            if line.strip().startswith((name + " =", name + ":", name + "=")):
                return [os.path.realpath(module.__file__), first + at]
    return [os.path.realpath(module.__file__), first]


def read_urls():
    """What of the URL configuration rules ask about."""
    from django.conf import settings
    from django.urls import Resolver404, get_resolver, resolve

    queue = [(pattern, "") for pattern in get_resolver().url_patterns]
    file = getattr(sys.modules.get(str(settings.ROOT_URLCONF)), "__file__", None)
    facts = {"file": os.path.realpath(file) if is_project_file(file) else None, "patterns": [], "health": []}
    for seen, (pattern, prefix) in enumerate(queue):
        if seen >= MAX_PATTERNS:
            break
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            namespace = pattern.app_name or pattern.namespace
            if namespace and len(facts["patterns"]) < MAX_URLS:
                facts["patterns"].append({"route": route, "app": namespace, "view": None})
            if namespace not in ("admin", "djdt"):
                queue.extend((each, route) for each in pattern.url_patterns)
            continue
        view = name_of_view(pattern.callback)
        if view in FILE_VIEWS and len(facts["patterns"]) < MAX_URLS:
            facts["patterns"].append({"route": route, "app": None, "view": view})
    for name in HEALTH_PATHS:
        for path in ("/" + name, "/%s/" % name):
            try:
                match = resolve(path)
            except Resolver404:
                continue
            if not match.args and not match.kwargs:
                facts["health"].append(path)
    return facts


FILE_VIEWS = frozenset(("django.views.static.serve", "django.contrib.staticfiles.views.serve"))


def name_of_view(view):
    view = introspection.unwrap(view) if callable(view) else view
    return "%s.%s" % (getattr(view, "__module__", ""), getattr(view, "__qualname__", ""))


def missing_migrations(apps):
    """The project's own apps whose models have changed since their last migration; null where that cannot be told."""
    try:
        from django.db.migrations.autodetector import MigrationAutodetector
        from django.db.migrations.loader import MigrationLoader
        from django.db.migrations.questioner import MigrationQuestioner
        from django.db.migrations.state import ProjectState

        loader = MigrationLoader(None, ignore_no_migrations=True)
        # Asks nobody, and goes on where makemigrations would need an answer.
        questioner = MigrationQuestioner(dry_run=True)
        detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps), questioner)
        changes = detector.changes(graph=loader.graph)
    except BaseException:
        return None
    found = []
    for label, migrations in sorted(changes.items()):
        app = apps.get_app_config(label)
        if not is_project_file(app.path):
            continue
        operations = [operation.describe() for migration in migrations for operation in migration.operations]
        models = os.path.realpath(getattr(app.models_module, "__file__", None) or app.path)
        found.append({"app": label, "file": models, "changes": [str(each)[:200] for each in operations[:20]]})
    return found


def is_project_file(path):
    """In the project's folder, and not in an environment that lies in it."""
    # Code without a file has a name such as <frozen importlib._bootstrap>.
    if not isinstance(path, str) or path.startswith("<"):
        return False
    real = os.path.realpath(path)
    root = os.path.realpath(os.getcwd())
    environment = os.path.realpath(sys.prefix)
    inside = real == root or real.startswith(root + os.sep)
    return inside and not real.startswith(environment + os.sep) and "site-packages" not in real.split(os.sep)


def failure(stage, error):
    """An exception, with the project's own part of its traceback."""
    trace = error.__traceback__
    while trace is not None and is_ours(trace):
        trace = trace.tb_next
    frames = [
        [os.path.realpath(frame.filename), frame.lineno]
        for frame in traceback.extract_tb(trace)[-MAX_FRAMES:]
        if is_project_file(frame.filename)
    ]
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        frames.append([os.path.realpath(error.filename), error.lineno])
    text = "".join(traceback.format_exception(type(error), error, trace)).rstrip()
    is_missing = isinstance(error, ModuleNotFoundError) and isinstance(error.name, str)
    return {
        "stage": stage,
        "reason": reason_of(error),
        "type": type(error).__name__,
        "message": "sys.exit(%s)" % ("" if error.code is None else error.code) if isinstance(error, SystemExit) else str(error)[:4000],
        "missingModule": error.name if is_missing and not is_own_module(error.name) else None,
        "missingVariable": missing_variable(error),
        "frames": frames,
        "traceback": text[-16000:],
    }


def reason_of(error):
    if isinstance(error, SystemExit):
        return "exited"
    while error is not None:
        if isinstance(error, NetworkIsOff) or "network is off while settings are checked" in str(error):
            return "network"
        if isinstance(error, WritingIsOff):
            return "writing"
        error = error.__cause__ or error.__context__
    return "raised"


def is_own_module(name):
    base = os.path.join(os.getcwd(), name.split(".")[0])
    return os.path.isdir(base) or os.path.isfile(base + ".py")


def is_ours(trace):
    file = trace.tb_frame.f_code.co_filename
    here = os.path.dirname(__file__)
    return file.startswith((here, "<frozen importlib")) or file.endswith("importlib/__init__.py")


def missing_variable(error):
    """The name of a variable of the environment that was asked for by name, and is not there."""
    while error is not None:
        if isinstance(error, KeyError) and error.args:
            trace = error.__traceback__
            while trace is not None:
                if trace.tb_frame.f_locals.get("self") is os.environ:
                    return str(error.args[0])
                trace = trace.tb_next
        text = str(error)
        if type(error).__name__ in ("ImproperlyConfigured", "UndefinedValueError", "EnvError"):
            for word in text.replace("`", " ").replace("'", " ").replace('"', " ").replace(":", " ").split():
                word = word.strip(".,;()[]")
                if "SETTINGS_MODULE" not in word and len(word) > 3 and is_variable_name(word) and word not in KNOWN:
                    return word
        error = error.__cause__ or error.__context__
    return None


# Words of Django's own messages about settings.
KNOWN = frozenset(("SECRET_KEY", "INSTALLED_APPS", "ALLOWED_HOSTS", "ROOT_URLCONF", "AUTH_USER_MODEL", "DATABASES"))


def is_variable_name(word):
    return "_" in word and word.replace("_", "").isalnum() and word.isupper()
