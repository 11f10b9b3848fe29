"""Libraries of an extra, missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from tiltbot_ros.errors import MissingDependencyError


@contextmanager
def needing(*extras: str) -> Iterator[None]:
    """Import within this what needs the libraries of an extra.

    Args:
        extras: of pyproject.toml.

    Raises:
        MissingDependencyError: one is not installed; the text names it, and how to install it.
    """
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(
            f"expected the Python package {error.name or error!s}, it is not installed: "
            f"pip install 'tiltbot[{','.join(extras)}]'"
        ) from error
