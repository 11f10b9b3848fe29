"""Choices by name: encoders, models, augmentations, recipes."""

import difflib
from collections.abc import Callable
from typing import Generic, TypeVar

from tiltbot_ros.errors import ConfigError

T = TypeVar("T")


class Registry(Generic[T]):
    """Named things of one sort, of which a configuration picks one."""

    def __init__(self, what: str) -> None:
        """Make an empty registry; `what` names its sort in messages, such as "audio encoder"."""
        self._what = what
        self._known: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that enters what it decorates under this name."""

        def enter(thing: T) -> T:
            if name in self._known:
                raise ConfigError(f"expected a new name for the {self._what}, got '{name}' again")
            self._known[name] = thing
            return thing

        return enter

    @property
    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._known))

    def get(self, name: str) -> T:
        """Return what has this name.

        Raises:
            ConfigError: nothing has; the message lists the valid names.
        """
        if name not in self._known:
            close = difflib.get_close_matches(name, self._known, n=1)
            hint = f" (did you mean '{close[0]}'?)" if close else ""
            raise ConfigError(
                f"expected the {self._what} to be one of {', '.join(self.names)}, "
                f"got '{name}'{hint}"
            )
        return self._known[name]
