"""Starts the host: `python path/to/havn_host/__main__.py`.

The package is loaded from where this file lies, under a private name, and that folder leaves `sys.path`: the app
sees the module path that it would have without Havn, and neither can shadow the other's modules.
"""

import sys


def main():
    import importlib.util
    import os

    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if not entry or os.path.abspath(entry) != folder]
    spec = importlib.util.spec_from_file_location(
        '_havn_host', os.path.join(folder, '__init__.py'), submodule_search_locations=[folder]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules['_havn_host'] = package
    spec.loader.exec_module(package)
    importlib.import_module('_havn_host.start').start()


if __name__ == '__main__':
    main()
