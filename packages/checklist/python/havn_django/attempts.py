"""Boots a project in forks of this process, and gives it stand-ins for the variables that turn out to be missing."""

import json
import os
import re
import select
import shutil
import signal
import tempfile
import time

from . import project, sandbox, values

MAX_TRIES = 40
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_HEADER_BYTES = 16
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
# A flag, a number, a place: what is told by a name. Whatever does not fit is tried as the next one.
_SHAPES = (
    (re.compile(r"DATABASE_UR[LI]|^DB_UR[LI]|_DB_UR[LI]"), "sqlite:///%s.sqlite3"),
    (re.compile(r"(REDIS|CELERY|BROKER|CACHE|RABBIT)\w*(UR[LI]|BACKEND|LOCATION)|AMQP"), "redis://%s.invalid:6379/0"),
    (re.compile(r"SENTRY|_DSN$"), "https://%s@sentry.invalid/1"),
    (re.compile(r"EMAIL_UR[LI]"), "smtp://%s.invalid:25"),
    (re.compile(r"(UR[LI]|ENDPOINT|ORIGINS?)$"), "https://%s.invalid"),
    (re.compile(r"PORT$|TIMEOUT|SECONDS|_AGE$|_COUNT$|_SIZE$|_DAYS$|_TTL$|_ID$|_MAX|_MIN"), "1"),
    (re.compile(r"DEBUG|^USE_|_ENABLED?$|_SSL$|_TLS$"), "False"),
    (re.compile(r"HOSTS?$|DOMAIN"), "%s.invalid"),
)
_MARK = values.FAKE + "-%d-q7Zk2vX9mB4tR8wLc5Yj3Hd6Gs1Np0Fa-uEoIxTyQzWvVbKj"


def boot(request, text):
    """The last try's outcome, with the names that were given stand-ins."""
    deadline = time.monotonic() + request["timeout"]
    fakes = {}
    if text.uses_configurations() and request["wsgi"]:
        request = {**request, "entry": request["wsgi"]}
    for _ in range(MAX_TRIES):
        outcome = _try(request, deadline)
        failure = outcome.get("failure")
        if failure is None or time.monotonic() >= deadline:
            break
        if not _stand_in(failure, text, fakes):
            break
    outcome["fakes"] = sorted(fakes)
    return outcome


def _stand_in(failure, text, fakes):
    """Gives the variable that a failure is about a value; false where it is about none, or nothing helps."""
    changed = False
    for name in _variables_of(failure, text):
        if name not in os.environ:
            fakes[name] = 0
        elif name in fakes and fakes[name] < 3:
            # What was given does not fit.
            fakes[name] += 1
        else:
            continue
        os.environ[name] = _value_for(name, fakes[name])
        changed = True
    return changed


def _variables_of(failure, text):
    if failure["missingVariable"]:
        return [failure["missingVariable"]]
    if failure["type"] == "ModuleNotFoundError" or failure["reason"] not in ("raised", "exited"):
        return []
    reads = text.reads()
    message = failure["message"]
    named = [word for word in _WORD.findall(message) if word in reads]
    if named:
        return named[:5]
    # A helper that is asked for one name after the other reads none by its own name.
    if re.search(r"\benv(ironment)?\b", message, re.I):
        shaped = [word for word in _WORD.findall(message) if project.is_variable_name(word)]
        if shaped:
            return shaped[:5]
    # Django's own words name the setting: The SECRET_KEY setting must not be empty.
    for word in _WORD.findall(message):
        variables = text.variables_of(word) if word.isupper() else []
        if variables:
            return variables[:5]
    # pydantic names fields, whose variables are the same in capitals.
    if failure["type"] == "ValidationError":
        fields = re.findall(r"^(\w+)\n\s+(?:Field required|field required|Input should)", message, re.M)
        if fields:
            return [field.upper() for field in fields[:30]]
    for file, line in reversed(failure["frames"]):
        variables = text.variables_at(file, line)
        if variables:
            return variables[:5]
    return []


def _value_for(name, step):
    mark = _MARK % (len(name) + step)
    shape = next((shape for pattern, shape in _SHAPES if pattern.search(name.upper())), "%s")
    first = shape % mark if "%s" in shape else shape
    return (first, "1", mark, "{}")[step]


def _try(request, deadline):
    """One boot, in a fork with a disk of its own."""
    overlay = tempfile.mkdtemp(prefix="havn-check-")
    reader, writer = os.pipe()
    stacks = tempfile.TemporaryFile()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.setsid()
        _run(request, writer, overlay, max(1, deadline - time.monotonic()), stacks)
    os.close(writer)
    try:
        content = _read_answer(reader, child, deadline + 1)
        status = _end(child)
        if content is not None:
            return json.loads(content)
        stacks.seek(0)
        return {"failure": _silent_end(status, stacks.read(65536).decode("utf-8", "replace"))}
    finally:
        os.close(reader)
        stacks.close()
        shutil.rmtree(overlay, ignore_errors=True)


def _run(request, writer, overlay, seconds, stacks):
    import faulthandler

    own = os.getpid()
    faulthandler.dump_traceback_later(seconds, exit=True, file=stacks)
    sandbox.enter(overlay)
    content = json.dumps(project.inspect(request)).encode()
    # A process that the project has forked comes by here, too.
    if os.getpid() == own:
        os.write(writer, b"%16d" % len(content))
        while content:
            content = content[os.write(writer, content):]
    os._exit(0)


def _read_answer(reader, child, deadline):
    """None where none comes. The pipe's end is no sign of that: what the project has forked may hold it."""
    content = b""
    wanted = _HEADER_BYTES
    while len(content) < wanted:
        has_ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        ready, _, _ = select.select([reader], [], [], 0 if has_ended else 0.05)
        if not ready and not has_ended and time.monotonic() < deadline:
            continue
        chunk = os.read(reader, 1024 * 1024) if ready else b""
        if not chunk:
            return None
        content += chunk
        if wanted == _HEADER_BYTES and len(content) >= wanted:
            wanted += int(content[:_HEADER_BYTES])
            if wanted > MAX_ANSWER_BYTES:
                return None
    return content[_HEADER_BYTES:wanted]


def _end(child):
    """Ends the fork and what is left of its own."""
    for _ in range(20):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.005)
    else:
        status = None
    try:
        os.killpg(child, signal.SIGKILL)
    except OSError:
        pass
    return os.waitpid(child, 0)[1] if status is None else status


def _silent_end(status, stacks):
    frames = [[file, int(line)] for file, line in re.findall(r'File "(.+?)", line (\d+)', stacks)]
    frames.reverse()
    failure = {
        "stage": "settings", "missingVariable": None, "missingModule": None, "frames": frames, "traceback": stacks,
    }
    if stacks.startswith("Timeout"):
        return {**failure, "reason": "timeout", "type": "Timeout", "message": "They did not end loading in time."}
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return {**failure, "reason": "exited", "type": name, "message": "Python was ended by %s." % name}
    code = os.WEXITSTATUS(status)
    return {**failure, "reason": "exited", "type": "os._exit", "message": "Python was ended with exit code %d." % code}
