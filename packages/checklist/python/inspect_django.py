"""
Reads a Django project as a deployment would have it, and prints what it found as one JSON object.

Usage: python inspect_django.py '{"directory": "/app", "module": "shop.settings", "entry": null, "timeout": 20}'

This process reads the settings' text and never runs them: forks of it do, one a try, in a sandbox. Whatever the project
does to its process, from `sys.exit` to a crash of native code, this one stays and tells of it. Standard library and
Django alone; Python 3.9 or newer.
"""

import os
import sys

# The project's folder comes first, as for `python manage.py`; ours is there for these imports only.
sys.dont_write_bytecode = True
from havn_django import sandbox  # noqa: E402  -- before whatever keeps a function that it replaces

sandbox.install()

import json  # noqa: E402

from havn_django import attempts, settings_text, urls_text  # noqa: E402


def main():
    # What the project prints must not mix with the answer: it keeps a descriptor of its own, and theirs is stderr.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = json.loads(sys.argv[1])
    os.chdir(request["directory"])
    sys.path[0] = os.getcwd()
    report = {"python": "%d.%d.%d" % sys.version_info[:3], "django": django_version()}
    text = settings_text.SettingsText(request["module"], request["directory"])
    outcome = None
    if report["django"] is not None:
        outcome = attempts.boot(request, text)
        if request["module"] is None and outcome.get("module"):
            # Only the entry could tell which they are.
            text = settings_text.SettingsText(outcome["module"], request["directory"])
    if outcome is None or outcome.get("settings") is None:
        report["static"] = text.values()
    report["text"] = text.describe()
    report["boot"] = outcome
    urls = (outcome or {}).get("urls")
    if urls and urls["file"]:
        urls["routes"] = urls_text.routes(urls["file"])
    json.dump(report, answer)
    answer.flush()
    os._exit(0)


def django_version():
    try:
        import django
        import django.apps
        import django.conf
        import django.core.checks  # noqa: F401  -- once, for all tries
    except Exception:
        return None
    return django.get_version()


main()
