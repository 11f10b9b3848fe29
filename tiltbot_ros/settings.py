"""The base of every group of settings: typed, bounded, described, frozen.

A field's description and bounds are used three times: to validate a rig's
YAML, to declare the ROS parameter of a node, and to print the tables of the
documentation.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tiltbot_ros.errors import ConfigError

Vector3 = Annotated[list[float], Field(min_length=3, max_length=3)]
"""A setting of three numbers: a place, a rotation vector, or a value for each axis."""


class Settings(BaseModel):
    """A frozen group of settings that refuses unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def digest(self) -> str:
        """Return a hash of all values, 12 hexadecimal digits."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


S = TypeVar("S", bound=Settings)


def checked(model: type[S], values: Mapping[str, object]) -> S:
    """Return settings made of values from outside; texts are read as what they say.

    Raises:
        ConfigError: a value does not fit; the message names its setting.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(explain(error)) from error


def explain(error: ValidationError, where: str = "") -> str:
    """Return one line for every problem of a validation, naming the setting.

    Args:
        error: what pydantic raised.
        where: name of the group, put before each setting.
    """
    lines = []
    for problem in error.errors():
        path = ".".join(str(part) for part in (where, *problem["loc"]) if part != "")
        if problem["type"] == "value_error":  # one of our own, which says what came
            text = problem["msg"].removeprefix("Value error, ")
        else:
            text = f"{problem['msg']}, got {problem['input']!r}"
        lines.append(f"{path}: {text}" if path else text)
    return "\n".join(lines)
