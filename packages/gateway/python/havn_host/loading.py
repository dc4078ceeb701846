"""Finds the app that `module:attribute` names."""

import gc
import importlib
import inspect
import os
import sys

from .app_errors import describe_error, format_app_traceback


class LoadingError(Exception):
    """Why the app cannot be served: the parts of a FAILED frame."""

    def __init__(self, reason, message, traceback=''):
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.traceback = traceback


def load_app(settings):
    """Imports the app from its directory; raises LoadingError."""
    target = settings.target
    is_factory = target.endswith('()')
    module_name, _, attribute = (target[:-2] if is_factory else target).partition(':')
    attribute = attribute or 'application'
    _enter(settings.directory)
    module = _import(module_name, settings.directory)
    app = _find(module, module_name, attribute)
    if is_factory:
        app = _call_factory(app, target)
    _check(app, '%s:%s' % (module_name, attribute), settings.interface, is_factory)
    # What lives since the import lives for ever: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    return app


def _enter(directory):
    try:
        os.chdir(directory)
    except OSError as error:
        raise LoadingError('import', 'The directory %s cannot be entered: %s.' % (directory, error.strerror))
    sys.path.insert(0, directory)


def _import(name, directory):
    try:
        return importlib.import_module(name)
    except BaseException as error:
        raise LoadingError('import', _explain(error, name, directory), format_app_traceback(error)) from None


def _explain(error, name, directory):
    if isinstance(error, ModuleNotFoundError) and error.name and (name + '.').startswith(error.name + '.'):
        return 'There is no module %s in %s or on the module path.' % (error.name, directory)
    if isinstance(error, SystemExit):
        return 'The module %s ended the process with sys.exit(%r) as it was imported.' % (name, error.code)
    return 'The module %s does not import: %s' % (name, describe_error(error))


def _find(module, module_name, attribute):
    found = module
    for part in attribute.split('.'):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise LoadingError('attribute', _list_names(found, module_name, attribute, part)) from None
    return found


def _list_names(owner, module_name, attribute, part):
    names = [name for name in vars(owner)] if hasattr(owner, '__dict__') else dir(owner)
    message = 'The module %s has no attribute %s.' % (module_name, attribute)
    # Only a failed start needs it.
    import difflib

    near = difflib.get_close_matches(part, names, n=3)
    if near:
        return '%s Near names: %s.' % (message, ', '.join(near))
    callables = sorted(name for name in names if _is_candidate(name, getattr(owner, name, None), module_name))
    if callables:
        return '%s It has these callables: %s.' % (message, ', '.join(callables[:12]))
    return '%s It has no callables of its own.' % message


def _is_candidate(name, value, module_name):
    if name.startswith('_') or not callable(value):
        return False
    # Classes and functions that were imported are seldom the app; instances may come from anywhere.
    is_definition = inspect.isclass(value) or inspect.isroutine(value)
    return not is_definition or getattr(value, '__module__', None) == module_name


def _call_factory(factory, target):
    if not callable(factory):
        message = '%s is not a factory: it is %s, which cannot be called.' % (target[:-2], _what(factory))
        raise LoadingError('factory', message)
    try:
        return factory()
    except BaseException as error:
        message = 'The factory %s failed: %s' % (target, describe_error(error))
        raise LoadingError('factory', message, format_app_traceback(error)) from None


def _check(app, target, interface, is_factory):
    made = '%s() returned' % target if is_factory else '%s is' % target
    if not callable(app):
        hint = ''
        if inspect.ismodule(app):
            hint = ' Name the app inside it.'
        elif inspect.iscoroutine(app):
            app.close()
        raise LoadingError('not-callable', '%s %s, which cannot be called.%s' % (made, _what(app), hint))
    count = _count_positional(app)
    # Of a class it is the instances that are called asynchronously, not the class.
    function = app if inspect.isroutine(app) else getattr(type(app), '__call__', None)
    is_async = inspect.iscoroutinefunction(function)
    if interface == 'asgi' and not is_async and count == 1:
        message = (
            '%s an app of ASGI 2 (it takes the scope alone), or a factory. ASGI 3 is served: '
            'application(scope, receive, send). Wrap it with asgiref.compatibility.guarantee_single_callable, '
            'or write () after a factory.' % made
        )
        raise LoadingError('not-callable', message)
    if interface == 'asgi' and not is_async and count == 2:
        message = '%s a WSGI app: it takes (environ, start_response). Serve it with the interface wsgi.' % made
        raise LoadingError('not-callable', message)
    if interface == 'wsgi' and (is_async or count == 3):
        message = '%s an ASGI app: it takes (scope, receive, send). Serve it with the interface asgi.' % made
        raise LoadingError('not-callable', message)
    if count == 0:
        message = '%s a callable without parameters. Write () after it if it is a factory.' % made
        raise LoadingError('not-callable', message)


def _count_positional(app):
    """Parameters without a default; None where that cannot be told."""
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(1 for p in parameters if p.kind in positional and p.default is p.empty)


def _what(value):
    if inspect.ismodule(value):
        return 'the module %s' % value.__name__
    if value is None:
        return 'None'
    kind = type(value).__name__
    text = repr(value)
    article = 'an' if kind[:1].lower() in 'aeiou' else 'a'
    return '%s %s (%s)' % (article, kind, text if len(text) <= 60 else text[:57] + '...')
