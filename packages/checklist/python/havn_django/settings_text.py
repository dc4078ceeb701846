"""What the text of settings says, without running it: where each setting is assigned, and what can be read of it."""

import ast
import glob
import os

from . import evaluate, values
from .expressions import (
    environment_reads,
    is_literal,
    keys_in,
    last_name,
    reads_by_argument,
    root_name,
    strings_in,
    subscript_path,
)
from .source_file import SourceFile

MAX_FILES = 50
MAX_VARIABLES = 100
_LIST_CHANGES = frozenset(("append", "insert", "extend", "remove", "update", "setdefault"))
# Calls that rules ask about, by the last part of their names.
_CALLS = frozenset(("load_dotenv", "read_env", "dotenv_values", "read_dotenv"))
# A class that assigns one of them holds settings, which something else takes out of it.
_OF_SETTINGS = frozenset((
    "ALLOWED_HOSTS", "CACHES", "DATABASES", "DEBUG", "INSTALLED_APPS", "LOGGING", "MIDDLEWARE", "ROOT_URLCONF",
    "SECRET_KEY", "TEMPLATES",
))
_NAMESPACES = frozenset(("globals", "locals", "vars"))


class Assignment:
    def __init__(self, source, node, value, *, is_change, reads, variables):
        self.source, self.node, self.value, self.is_change = source, node, value, is_change
        # Reads of the environment in the expression, and all variables that decide its value.
        self.reads, self.variables = reads, variables


class SettingsText:
    """The settings module, and what it takes from others of the project: `from .base import *`, `include(...)`."""

    def __init__(self, module, directory):
        self.directory = os.path.realpath(directory)
        self.module = module
        self.files = []
        self.problems = []
        self.calls = []
        self._imports_configurations = False
        self._assignments = {}
        self._reads = []
        # Functions of the settings' own that read the environment, and variables that names and branches hang on.
        self._readers = set()
        self._variables = {}
        self._deciding = ()
        self._walked = set()
        self._scope = evaluate.Scope(os.environ)
        self._is_walked = False

    def describe(self):
        self._walk_all()
        return {
            "files": [source.path for source in self.files],
            "problems": self.problems,
            # False where more comes from what could not be followed.
            "isComplete": not self._scope.is_open and not self.problems,
            "calls": self.calls,
            "assignments": {name: self._describe(name) for name in self._assignments if name.isupper()},
        }

    def values(self):
        """Values of settings that the text alone tells."""
        self._walk_all()
        known = self._scope.known()
        return {name: values.describe(name, value) for name, value in known.items() if name.isupper()}

    def variables_of(self, name):
        """Names of the environment's variables that a setting is made of."""
        self._walk_all()
        found = []
        for assignment in self._assignments.get(name, ()):
            found += [variable for variable, _ in assignment.reads]
        return found

    def variables_at(self, file, line):
        """Names of the environment's variables that the statement at a line reads."""
        self._walk_all()
        return [
            name for path, first, last, name in self._reads
            if first <= line <= last and os.path.realpath(path) == os.path.realpath(file)
        ]

    def reads(self):
        """Names of all the environment's variables that the settings read."""
        self._walk_all()
        return {name for _, _, _, name in self._reads}

    def uses_configurations(self):
        """Whether settings are in classes, which an entry must make count: django-configurations."""
        self._walk_all()
        return self._imports_configurations

    # Walking

    def _walk_all(self):
        if self._is_walked:
            return
        self._is_walked = True
        path = self._find(self.module) if self.module else None
        if path is not None:
            self._walk_file(path, self.module, os.path.basename(path) == "__init__.py")

    def _find(self, module):
        base = os.path.join(self.directory, *module.split("."))
        for path in (base + ".py", os.path.join(base, "__init__.py")):
            if os.path.isfile(path):
                return path
        return None

    def _walk_file(self, path, module, is_package):
        real = os.path.realpath(path)
        if real in self._walked or len(self.files) >= MAX_FILES:
            return
        self._walked.add(real)
        try:
            source = SourceFile(real)
        except (OSError, SyntaxError, ValueError) as error:
            self.problems.append({"file": real, "message": str(error)})
            return
        self.files.append(source)
        try:
            self._walk(source, source.tree.body, module, is_package)
        except RecursionError:
            self.problems.append({"file": real, "message": "nested too deeply"})

    def _walk(self, source, body, module, is_package):
        for node in body:
            if isinstance(node, ast.ImportFrom):
                self._follow_import(node, module, is_package)
            elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                self._note_reads(source, node)
                self._assign(source, node)
            elif isinstance(node, ast.Expr):
                self._note_reads(source, node)
                self._call(source, node, module)
            elif isinstance(node, ast.If):
                self._note_reads(source, node.test)
                known = self._scope.truth(node.test)
                outer = self._deciding
                self._deciding = (*outer, *self._variables_in(node.test))
                if known is None:
                    with self._scope.uncertain():
                        self._walk(source, node.body, module, is_package)
                        self._walk(source, node.orelse, module, is_package)
                else:
                    # Both are walked for their places; only one counts.
                    with self._scope.ignored():
                        self._walk(source, node.orelse if known else node.body, module, is_package)
                    self._walk(source, node.body if known else node.orelse, module, is_package)
                self._deciding = outer
            elif isinstance(node, (ast.Try, ast.With, ast.For, ast.While)):
                with self._scope.uncertain():
                    for part in ("body", "handlers", "orelse", "finalbody"):
                        for child in getattr(node, part, ()):
                            inner = child.body if isinstance(child, ast.ExceptHandler) else [child]
                            self._walk(source, inner, module, is_package)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                self._note_reads(source, node)
                if isinstance(node, ast.FunctionDef):
                    if reads_by_argument(node):
                        self._readers.add(node.name)
                else:
                    self._scope.is_open = self._scope.is_open or _holds_settings(node)
                    with self._scope.uncertain():
                        self._walk(source, node.body, module, is_package)

    def _follow_import(self, node, module, is_package):
        base = node.module or ""
        self._imports_configurations = self._imports_configurations or base.split(".")[0] == "configurations"
        if node.level:
            parts = module.split(".")
            parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
            base = ".".join(parts + ([base] if base else []))
        path = self._find(base) if base else None
        if any(alias.name == "*" for alias in node.names):
            if path is not None:
                self._walk_file(path, base, os.path.basename(path) == "__init__.py")
            else:
                self._scope.is_open = True

    def _call(self, source, node, module):
        call = node.value
        if not isinstance(call, ast.Call):
            return
        if _is_given_the_module(call):
            self._scope.is_open = True
        name = last_name(call.func)
        if name in _CALLS:
            self.calls.append({"name": name, "file": source.path, "place": source.place(call)})
        elif name in _LIST_CHANGES and isinstance(call.func, ast.Attribute):
            target = root_name(call.func.value)
            if target is not None and target.isupper():
                self._keep(target, source, node, call, is_change=True)
                self._scope.change(target, call)
        elif name == "include":
            self._include(source, call, module)

    def _include(self, source, call, module):
        """django-split-settings."""
        self._scope.is_open = True
        for arg in call.args:
            arg = arg.args[0] if isinstance(arg, ast.Call) and arg.args else arg
            if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
                pattern = os.path.join(os.path.dirname(source.path), arg.value)
                for path in sorted(glob.glob(pattern)[:MAX_FILES]):
                    self._walk_file(path, module, False)

    def _assign(self, source, node):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is None:
            return
        for target in targets:
            if isinstance(target, ast.Name):
                is_change = isinstance(node, ast.AugAssign)
                if is_change:
                    self._scope.augment(target.id, node)
                else:
                    self._scope.assign(target.id, node.value)
                self._keep(target.id, source, node, node.value, is_change=is_change)
            elif isinstance(target, (ast.Tuple, ast.List)):
                for each in target.elts:
                    if isinstance(each, ast.Name):
                        self._scope.forget(each.id)
                        self._keep(each.id, source, node, node.value, is_change=False)
            elif isinstance(target, ast.Subscript):
                name = root_name(target)
                if name is not None:
                    self._scope.forget(name)
                    self._keep(name, source, node, node, is_change=True)

    def _keep(self, name, source, node, value, *, is_change):
        variables = {*self._deciding, *self._variables_in(value)}
        reads = environment_reads(value, self._readers)
        made = Assignment(source, node, value, is_change=is_change, reads=reads, variables=variables)
        self._assignments.setdefault(name, []).append(made)
        self._variables.setdefault(name, set()).update(variables)

    def _variables_in(self, node):
        """What an expression hangs on, by way of other names, too."""
        found = {name for name, _ in environment_reads(node, self._readers)}
        for each in ast.walk(node):
            if isinstance(each, ast.Name):
                found |= self._variables.get(each.id, set())
        return found

    def _note_reads(self, source, node):
        for name, _ in environment_reads(node, self._readers):
            self._reads.append((source.path, node.lineno, node.end_lineno, name))

    # Describing

    def _describe(self, name):
        """All assignments, the last one last; `strings` has where each text in them stands, `keys` each key of a dict."""
        described = []
        for assignment in self._assignments[name][-20:]:
            source, node, value = assignment.source, assignment.node, assignment.value
            reads = assignment.reads
            described.append({
                "file": source.path,
                "place": source.place(node),
                "isChange": assignment.is_change,
                "origin": "environment" if reads else "literal" if is_literal(value) else "expression",
                "variables": sorted(assignment.variables)[:MAX_VARIABLES],
                # A default that stands in the text is what runs where the variable is missing.
                "hasTextDefault": any(has_default for _, has_default in reads),
                "value": self._literal(name, value),
                "strings": [] if values.is_secret(name) else strings_in(source, value),
                "keys": keys_in(source, value, subscript_path(node)),
            })
        return described

    def _literal(self, name, value):
        try:
            return values.describe(name, ast.literal_eval(value))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None


def _holds_settings(node):
    """Whether a class has settings: its own, and whatever its bases have."""
    for each in node.body:
        targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
        names = {target.id for target in targets if isinstance(target, ast.Name)} | {getattr(each, "name", None)}
        if names & _OF_SETTINGS:
            return True
    return False


def _is_given_the_module(call):
    """`Production.load_settings(__name__)`, `django_heroku.settings(locals())`, `globals().update(found)`."""
    given = [*call.args, *(word.value for word in call.keywords)]
    if isinstance(call.func, ast.Attribute):
        given.append(call.func.value)
    return any(
        isinstance(each, ast.Name) and each.id == "__name__"
        or isinstance(each, ast.Call) and last_name(each.func) in _NAMESPACES
        for each in given
    )
