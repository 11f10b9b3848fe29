"""The catalogue of objects that the tray can hold."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.settings import Settings
from tiltbot_ros.share import share_directory
from tiltbot_ros.worlds.materials import MATERIALS, Material

Shape = Literal[
    "box", "sphere", "ellipsoid", "cylinder", "capsule", "bottle", "mug", "bowl", "ring",
    "ell", "tee", "bar", "scissors",
]  # fmt: skip

SIZES: dict[str, tuple[str, ...]] = {
    "box": ("length x", "width y", "height z"),
    "sphere": ("diameter",),
    "ellipsoid": ("length x", "width y", "height z"),
    "cylinder": ("diameter", "height"),
    "capsule": ("diameter", "length"),
    "bottle": ("diameter", "height"),
    "mug": ("diameter", "height"),
    "bowl": ("diameter", "height"),
    "ring": ("outer diameter", "thickness of the rim", "height"),
    "ell": ("length x", "width y", "thickness z"),
    "tee": ("length of the handle x", "width of the head y", "thickness z"),
    "bar": ("length", "diameter of the grip", "diameter of the shaft"),
    "scissors": ("length x", "width y", "thickness z"),
}
"""Meaning of each number of `size_m`, by shape."""

LARGEST_EXTENT_M = 0.26
"""Longest side that still moves freely in a 30 cm tray [m]."""


class ObjectSpec(Settings):
    """One object: what it is, how it looks, what it weighs."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="Name, unique.")
    source: Literal["ycb", "household"] = Field(
        description="Where it is from: the YCB set (Calli et al., 2015), or a household."
    )
    set: Literal["A", "B"] = Field(description="Half of the objects it belongs to.")
    shape: Shape = Field(description="Primitive, or compound of primitives.")
    size_m: tuple[float, ...] = Field(description="Full extents, see SIZES [m].")
    mass_kg: float = Field(gt=0.0, le=1.0, description="Mass [kg].")
    material: str = Field(description="Name in worlds/materials.py.")
    color: str = Field(pattern=r"^#[0-9a-f]{6}$", description="Main colour, #rrggbb.")
    accent: str = Field(
        default="", pattern=r"^(#[0-9a-f]{6})?$", description="Colour of lids, labels, handles."
    )
    hollow: bool = Field(default=False, description="A shell: mass and sound of a thin wall.")
    lying: bool = Field(default=False, description="Rests on its side when placed.")

    @field_validator("material")
    @classmethod
    def _known_material(cls, value: str) -> str:
        if value not in MATERIALS:
            raise ValueError(f"expected one of {', '.join(sorted(MATERIALS))}; got {value!r}")
        return value

    @model_validator(mode="after")
    def _fitting_size(self) -> "ObjectSpec":
        names = SIZES[self.shape]
        if len(self.size_m) != len(names):
            raise ValueError(
                f"size_m of a {self.shape} is [{', '.join(names)}]; got {len(self.size_m)} numbers"
            )
        if not all(0.003 <= side <= LARGEST_EXTENT_M for side in self.size_m):
            raise ValueError(
                f"every size_m must lie in 0.003 .. {LARGEST_EXTENT_M} m; got {list(self.size_m)}"
            )
        return self

    @property
    def contact(self) -> Material:
        """The contact and acoustic parameters of its material."""
        return MATERIALS[self.material]

    @property
    def acoustic_key(self) -> str:
        """What decides its modes: two objects alike but for colour share it."""
        sizes = "x".join(f"{side:.4f}" for side in self.size_m)
        return f"{self.shape}/{sizes}/{self.mass_kg:.4f}/{self.material}/{self.hollow}"


class ObjectCatalogue:
    """The known objects, in the order of their file."""

    def __init__(self, specs: tuple[ObjectSpec, ...]) -> None:
        names = [spec.name for spec in specs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(f"expected unique object names; twice: {', '.join(twice)}")
        self._specs = {spec.name: spec for spec in specs}

    @classmethod
    def load(cls, path: Path | None = None) -> "ObjectCatalogue":
        """Read a catalogue from a YAML file (default: `config/objects.yaml`).

        Raises:
            ConfigError: the file is missing, no YAML, or an entry does not fit.
        """
        path = path or share_directory() / "config" / "objects.yaml"
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"expected an object catalogue at {path}: {error}") from error
        except yaml.YAMLError as error:
            raise ConfigError(f"{path} is not valid YAML: {error}") from error
        entries = document.get("objects") if isinstance(document, dict) else None
        if not isinstance(entries, list) or not entries:
            raise ConfigError(f"expected a list 'objects' in {path}; got {type(entries).__name__}")
        specs = []
        for number, entry in enumerate(entries):
            try:
                specs.append(ObjectSpec.model_validate(entry))
            except ValidationError as error:
                name = entry.get("name", "?") if isinstance(entry, dict) else "?"
                raise ConfigError(f"{path}: object {number} ({name}): {error}") from error
        return cls(tuple(specs))

    def get(self, name: str) -> ObjectSpec:
        """Return the object of that name.

        Raises:
            ConfigError: there is none; the message offers close names.
        """
        spec = self._specs.get(name)
        if spec is None:
            close = difflib.get_close_matches(name, self._specs, n=3, cutoff=0.4)
            close += [known for known in self._specs if name and name in known][:3]
            hint = (
                f"did you mean {', '.join(dict.fromkeys(close))}?"
                if close
                else f"the {len(self)} known names are in config/objects.yaml"
            )
            raise ConfigError(f"expected the name of a known object; got {name!r}: {hint}")
        return spec

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of the file."""
        return tuple(self._specs)

    @property
    def sets(self) -> dict[str, tuple[ObjectSpec, ...]]:
        """The objects of set A and of set B."""
        return {name: tuple(s for s in self if s.set == name) for name in ("A", "B")}

    def __iter__(self) -> Iterator[ObjectSpec]:
        return iter(self._specs.values())

    def __len__(self) -> int:
        return len(self._specs)

    def __contains__(self, name: object) -> bool:
        return name in self._specs
