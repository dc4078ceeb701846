"""
Boots a Django project as a server would and prints what its settings come to, as one JSON object.

Usage: python inspect_settings.py '{"entries": {"wsgi": "mysite.wsgi:application"}, "timeout": 60}'
The working directory is the project's folder; DJANGO_SETTINGS_MODULE may be set. Standard library and Django alone;
Python 3.9 or newer.
"""

import faulthandler
import importlib
import inspect
import json
import os
import sys
import traceback

HEALTH_PATHS = (
    "healthz", "health", "livez", "up", "ping", "-/health", "_health", "health-check", "health_check",
    "api/health", "api/healthz", "api/ping", "status",
)
UNLIKELY_PATH = "havn-no-such-page"


def main():
    # What settings print must not mix with the answer: it keeps a descriptor of its own, and theirs is stderr.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = json.loads(sys.argv[1])
    # A boot that hangs says where, in its own words.
    faulthandler.dump_traceback_later(request["timeout"], exit=True)
    # As for `python manage.py`: the project's folder comes first, not this script's.
    sys.path[0] = os.getcwd()
    json.dump(boot(request["entries"]), answer, default=str)
    answer.flush()
    sys.stderr.flush()
    # Threads that the project has started do not keep this process.
    os._exit(0)


def boot(entries):
    try:
        import django
        from django.apps import apps
        from django.conf import settings
    except ImportError:
        return failure("django")

    loaded = {}
    for interface, target in entries.items():
        # The entry first: what it sets before the settings load (a .env file, the settings' name) counts.
        try:
            loaded[interface] = {"target": target, "application": describe_type(load(target))}
        except BaseException:
            if not apps.ready:
                return failure("settings")
            loaded[interface] = {"target": target, "error": failure("entry")}
    try:
        django.setup()
    except BaseException:
        return failure("settings")
    try:
        facts = read_facts(settings, apps)
    except BaseException:
        return failure("settings")
    return {"ok": True, "version": django.get_version(), "entries": loaded, **facts}


def load(target):
    module, _, attribute = target.partition(":")
    found = importlib.import_module(module)
    for name in (attribute or "application").replace("()", "").split("."):
        found = getattr(found, name)
    return found() if target.endswith("()") else found


def describe_type(value):
    kind = type(value)
    return "%s.%s" % (kind.__module__, kind.__qualname__)


def read_facts(settings, apps):
    # Django reads it at the first signature only: an empty one would fail requests, not the start.
    settings.SECRET_KEY
    return {
        "settingsModule": os.environ.get("DJANGO_SETTINGS_MODULE"),
        "settingsFiles": settings_files(),
        "wsgiApplication": getattr(settings, "WSGI_APPLICATION", None),
        "asgiApplication": getattr(settings, "ASGI_APPLICATION", None),
        "installedApps": [config.name for config in apps.get_app_configs()],
        "middleware": list(settings.MIDDLEWARE),
        "debug": bool(settings.DEBUG),
        "allowedHosts": [str(host) for host in settings.ALLOWED_HOSTS],
        "static": static_files(settings, apps),
        "media": media_files(settings),
        "database": database(settings),
        "migrations": migrations(apps),
        "health": health_path(),
        "asyncViews": async_views(),
    }


def settings_files():
    """The settings module and what was loaded from beside it: `from .base import *`."""
    module = sys.modules.get(os.environ.get("DJANGO_SETTINGS_MODULE", ""))
    path = getattr(module, "__file__", None)
    if not path:
        return []
    folder = os.path.dirname(os.path.realpath(path))
    files = {os.path.realpath(path)}
    for other in list(sys.modules.values()):
        source = getattr(other, "__file__", None)
        if isinstance(source, str) and source.endswith(".py"):
            if os.path.dirname(os.path.realpath(source)) == folder and is_project_file(source):
                files.add(os.path.realpath(source))
    return sorted(files)


def static_files(settings, apps):
    from django.core.management import get_commands

    root = str(settings.STATIC_ROOT) if settings.STATIC_ROOT else None
    installed = apps.is_installed("django.contrib.staticfiles")
    facts = {
        "url": str(settings.STATIC_URL) if settings.STATIC_URL else None,
        "root": os.path.abspath(root) if root else None,
        "installed": installed,
        "command": "collectstatic" in get_commands(),
        "storage": None,
        "isFileSystem": True,
        "sources": None,
    }
    if not installed:
        return facts
    try:
        from django.contrib.staticfiles.finders import get_finders
        from django.contrib.staticfiles.storage import StaticFilesStorage, staticfiles_storage

        staticfiles_storage.exists  # the storage is lazy until something is asked of it
        facts["storage"] = describe_type(staticfiles_storage._wrapped)
        facts["isFileSystem"] = isinstance(staticfiles_storage._wrapped, StaticFilesStorage)
        sources = set()
        for finder in get_finders():
            for _, location in getattr(finder, "locations", ()):
                sources.add(os.path.realpath(str(location)))
            for storage in getattr(finder, "storages", {}).values():
                if getattr(storage, "location", None):
                    sources.add(os.path.realpath(str(storage.location)))
        facts["sources"] = [source_of(path) for path in sorted(sources)]
    except Exception:
        # collectstatic itself will say it in its own words.
        pass
    return facts


def source_of(path):
    try:
        changed = str(os.stat(path).st_mtime_ns)
    except OSError:
        changed = "missing"
    return {"path": path, "isProject": is_project_file(path), "changed": changed}


def media_files(settings):
    root = str(settings.MEDIA_ROOT) if settings.MEDIA_ROOT else None
    facts = {"url": None, "root": os.path.abspath(root) if root else None, "isFileSystem": True}
    # MEDIA_URL is the script prefix when it is empty.
    url = str(settings.MEDIA_URL) if settings.MEDIA_URL else None
    facts["url"] = url if url not in (None, "", "/") else None
    try:
        from django.core.files.storage import FileSystemStorage, default_storage

        default_storage.exists
        facts["isFileSystem"] = isinstance(default_storage._wrapped, FileSystemStorage)
    except Exception:
        facts["isFileSystem"] = False
    return facts


def database(settings):
    """The default database, which `migrate` works on. Names of others may be secret, a file's is not."""
    default = settings.DATABASES.get("default") or {}
    engine = default.get("ENGINE") or "django.db.backends.dummy"
    facts = {"engine": engine, "file": None}
    if "sqlite" in engine or "spatialite" in engine:
        name = str(default.get("NAME") or "")
        if name and not name.startswith((":memory:", "file:")):
            facts["file"] = os.path.abspath(name)
    return facts


def migrations(apps):
    """Files of the project's own migrations, and the newest of those that come with packages."""
    from django.db.migrations.loader import MigrationLoader

    files, packages, any_found = set(), [], False
    try:
        loader = MigrationLoader(None, ignore_no_migrations=True)
        leaves = loader.graph.leaf_nodes()
        for config in apps.get_app_configs():
            name, _ = MigrationLoader.migrations_module(config.label)
            module = sys.modules.get(name) if name else None
            if module is None:
                continue
            newest = [leaf for label, leaf in leaves if label == config.label]
            any_found = any_found or bool(newest)
            folder = next(iter(getattr(module, "__path__", [])), None)
            if folder and is_project_file(folder):
                for file in os.listdir(folder):
                    if file.endswith(".py"):
                        files.add(os.path.join(os.path.realpath(folder), file))
            else:
                packages.extend("%s.%s" % (config.label, leaf) for leaf in newest)
    except Exception:
        # A broken migration is migrate's to report, in its own words.
        any_found = True
    return {"files": sorted(files), "packages": sorted(packages), "any": any_found}


def health_path():
    """A usual health URL that the project has a view of its own for; not one that a catch-all answers."""
    from django.urls import Resolver404, resolve

    def view_of(path):
        try:
            return resolve(path)
        except Resolver404:
            return None

    catch_all = view_of("/%s/" % UNLIKELY_PATH) or view_of("/" + UNLIKELY_PATH)
    for name in HEALTH_PATHS:
        for path in ("/" + name, "/%s/" % name):
            match = view_of(path)
            if match is None or match.args or match.kwargs:
                continue
            if catch_all is None or match.func is not catch_all.func:
                return path
    return None


def async_views():
    """Names of the project's own views that are coroutines."""
    from django.urls import get_resolver

    names, queue, seen = [], [get_resolver()], 0
    while queue and seen < 20000:
        pattern = queue.pop()
        seen += 1
        if hasattr(pattern, "url_patterns"):
            queue.extend(pattern.url_patterns)
            continue
        view = getattr(pattern, "callback", None)
        view_class = getattr(view, "view_class", None)
        is_async = bool(getattr(view_class, "view_is_async", False)) or inspect.iscoroutinefunction(view)
        module = sys.modules.get(getattr(view_class or view, "__module__", ""))
        if is_async and is_project_file(getattr(module, "__file__", None)):
            target = view_class or view
            names.append("%s.%s" % (target.__module__, getattr(target, "__qualname__", "view")))
    return sorted(set(names))


def is_project_file(path):
    """In the project's folder, and not in an environment that lies in it."""
    if not isinstance(path, str):
        return False
    real = os.path.realpath(path)
    root = os.path.realpath(os.getcwd())
    environment = os.path.realpath(sys.prefix)
    inside = real == root or real.startswith(root + os.sep)
    return inside and not real.startswith(environment + os.sep) and "site-packages" not in real.split(os.sep)


def failure(stage):
    """The exception at hand, with the project's own part of its traceback."""
    kind, error, trace = sys.exc_info()
    while trace is not None and is_ours(trace):
        trace = trace.tb_next
    lines = traceback.format_exception(kind, error, trace)
    return {
        "ok": False,
        "stage": stage,
        "type": kind.__name__,
        "message": str(error),
        "exitCode": error.code if isinstance(error, SystemExit) else None,
        "missingModule": error.name if isinstance(error, ModuleNotFoundError) else None,
        "missingVariable": missing_variable(error),
        "traceback": "".join(lines).rstrip(),
    }


def is_ours(trace):
    file = trace.tb_frame.f_code.co_filename
    return file == __file__ or file.startswith("<frozen importlib") or file.endswith("importlib/__init__.py")


def missing_variable(error):
    """The name of an environment variable that the settings want, where the exception is about one."""
    while error is not None:
        if isinstance(error, KeyError) and error.args:
            trace = error.__traceback__
            while trace is not None:
                if trace.tb_frame.f_locals.get("self") is os.environ:
                    return str(error.args[0])
                trace = trace.tb_next
        text = str(error)
        if type(error).__name__ in ("ImproperlyConfigured", "UndefinedValueError", "EnvError", "ValidationError"):
            for word in text.replace("`", " ").replace("'", " ").replace('"', " ").replace(":", " ").split():
                word = word.strip(".,;()[]")
                if "SETTINGS_MODULE" not in word and len(word) > 3 and is_variable_name(word):
                    return word
        error = error.__cause__ or error.__context__
    return None


def is_variable_name(word):
    return "_" in word and word.replace("_", "").isalnum() and word.isupper()


main()
