"""A secret key for a checkout that was given none."""

import os
import tempfile

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key


def load_secret_key(path):
    """
    Reads the key in `path`, and makes one first where there is none: it is random, readable by this user
    alone and ignored by git. Several machines that serve one site need a common SECRET_KEY instead.
    """
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    try:
        create_once(path, get_random_secret_key())
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"Set the SECRET_KEY environment variable: no key can be kept in {path} ({error.strerror})."
        ) from error


def create_once(path, text):
    """Workers that start at the same moment must agree: the first link wins, and nobody sees half a file."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
