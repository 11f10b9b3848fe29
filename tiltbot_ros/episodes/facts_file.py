"""Facts as a JSON file beside a bag: written, and checked when they are read back."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from tiltbot_ros.errors import EpisodeError


class Versioned(Protocol):
    """Facts that say which layout they have."""

    @property
    def format_version(self) -> int:
        """Number of the layout."""


F = TypeVar("F", bound=Versioned)


class FactsFile(Generic[F]):
    """One kind of facts file.

    Args:
        kind: frozen dataclass of the facts.
        name: of the file.
        subject: what the facts are of, with its article.
        version: number of the layout that is read and written.
        misfit: returns what of the facts is out of all bounds, in words as they follow
            "expected"; empty: nothing.
    """

    def __init__(
        self,
        kind: type[F],
        *,
        name: str,
        subject: str,
        version: int,
        misfit: Callable[[F], str],
    ) -> None:
        self._adapter: TypeAdapter[F] = TypeAdapter(kind)
        self._name = name
        self._subject = subject
        self._version = version
        self._misfit = misfit

    def text(self, facts: F) -> bytes:
        """Return what the file says."""
        return self._adapter.dump_json(facts, indent=2) + b"\n"

    def read(self, directory: Path) -> F:
        """Read the file of a directory.

        Raises:
            EpisodeError: it is missing, no JSON, of another layout, or out of all bounds.
        """
        path = directory / self._name
        try:
            facts = self._adapter.validate_json(path.read_bytes())
        except OSError as error:
            raise EpisodeError(f"{path}: cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise EpisodeError(f"{path}: not the facts of {self._subject}: {error}") from error
        if facts.format_version != self._version:
            raise EpisodeError(
                f"{path}: expected format version {self._version}, "
                f"got {facts.format_version}: read it with the tiltbot that wrote it"
            )
        misfit = self._misfit(facts)
        if misfit:
            raise EpisodeError(f"{path}: not the facts of {self._subject}: expected {misfit}")
        return facts
