"""The index of a training store: `store.json`."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from policy_ros.data.store_settings import StoreObject, StoreSettings
from tiltbot_ros.episodes.folder import write_durably
from tiltbot_ros.errors import StoreError
from tiltbot_ros.settings import Settings, explain

FORMAT = "tiltbot store"
VERSION = 1
FILE = "store.json"
ROWS_FILE = "rows.jsonl"


class ShardEntry(Settings):
    """One shard: a folder with an `.npy` for every array, and `rows.jsonl`."""

    name: str = Field(pattern=r"^shard_\d{5,}$", description="of its folder")
    rows: int = Field(ge=1, le=100_000, description="how many")
    crc32: dict[str, int] = Field(description="of each array's data, without the file's header")
    rows_crc32: int = Field(description="of rows.jsonl")


class LeftOut(Settings):
    """An episode that is not in the store."""

    id: str = Field(description="of the episode")
    folder: str = Field(description="absolute path of its data folder")
    cause: Literal["fault", "copy", "no object", "no tilt", "flagged"] = Field(
        description="fault: something is wrong with it; the others: it is whole, but not for "
        "training"
    )
    reason: str = Field(description="why, with the file")


class Manifest(Settings):
    """Everything about a store but its rows."""

    format: str = Field(FORMAT, description="what this file is")
    version: int = Field(VERSION, description="of the format")
    settings: StoreSettings = StoreSettings()
    objects: tuple[StoreObject, ...] = Field((), description="in the order of their indices")
    shards: tuple[ShardEntry, ...] = Field((), description="in the order of their rows")
    next_shard: int = Field(0, ge=0, description="number of the next shard")
    left_out: tuple[LeftOut, ...] = Field((), description="episodes that were seen, and why not")
    hash: str = Field("", description="of settings, objects and data")

    @property
    def rows(self) -> int:
        """Rows of all shards."""
        return sum(shard.rows for shard in self.shards)

    def sealed(self) -> "Manifest":
        """Return the manifest with its hash."""
        document = json.loads(self.model_dump_json())
        return self.model_copy(update={"hash": _content_hash(document)})

    def write(self, folder: Path) -> None:
        """Replace the store's index: after a crash it is the old or the new one.

        Raises:
            StoreError: it cannot be written.
        """
        text = self.model_dump_json(indent=1) + "\n"
        try:
            write_durably(folder / FILE, text.encode())
        except OSError as error:
            (folder / f"{FILE}.new").unlink(missing_ok=True)
            raise StoreError(f"{folder / FILE}: cannot be written: {error.strerror}") from error

    @staticmethod
    def read(folder: Path) -> "Manifest":
        """Read a store's index.

        Raises:
            StoreError: there is none, or it is not what it should be; the text names the file.
        """
        file = folder / FILE
        try:
            text = file.read_bytes()
        except FileNotFoundError as error:
            raise StoreError(f"{folder}: expected a training store{_hint(folder)}") from error
        except OSError as error:
            raise StoreError(f"{file}: cannot be read: {error.strerror}") from error
        document = _document(text, file)
        try:
            manifest = Manifest.model_validate_json(text)
        except ValidationError as error:
            raise StoreError(
                f"{file}: not the index of a training store: {_first(error)}"
            ) from error
        content_hash = _content_hash(document)
        if manifest.hash != content_hash:
            raise StoreError(
                f"{file}: expected the hash {content_hash} of its content, got "
                f"'{manifest.hash}': the file was changed by hand; convert the bags again"
            )
        names = [shard.name for shard in manifest.shards]
        if len(set(names)) != len(names):
            raise StoreError(f"{file}: expected every shard once, got {', '.join(names)}")
        return manifest


def differences(before: StoreSettings, now: StoreSettings) -> Sequence[str]:
    """Return in words which settings differ."""
    one, other = _flat(before), _flat(now)
    return [
        f"{name} {one[name]!r}, now {other[name]!r}" for name in one if one[name] != other[name]
    ]


def _flat(settings: StoreSettings) -> dict[str, object]:
    values = settings.model_dump()
    front_end = values.pop("front_end")
    return {**values, **{f"front_end.{name}": value for name, value in front_end.items()}}


def _content_hash(document: dict[str, Any]) -> str:
    """Return a hash of what a model can see: settings, objects and every array's data.

    Where the data was read from does not count, nor what was left out. It is
    made of the file as it stands, so that a later tiltbot, which knows more
    settings, finds the same.
    """
    content = {
        "version": document.get("version"),
        "settings": document.get("settings"),
        "objects": document.get("objects"),
        "shards": [[shard["rows"], shard["crc32"]] for shard in document.get("shards", ())],
    }
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _document(text: bytes, file: Path) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{file}: expected JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        told = document.get("format") if isinstance(document, dict) else document
        raise StoreError(f"{file}: expected the format '{FORMAT}', got {str(told)[:80]}")
    version = document.get("version")
    if version != VERSION:
        raise StoreError(
            f"{file}: expected version {VERSION} of the format, got {str(version)[:80]}: read it "
            "with the tiltbot that wrote it, or convert the bags again"
        )
    return document


def _hint(folder: Path) -> str:
    if not folder.is_dir():
        return ", found no folder: `tiltbot convert DATA --out STORE` makes one"
    if any(folder.glob("shard_*")):
        return f", but {FILE} is missing: the store is not whole; convert the bags again"
    return f", found no {FILE} in it: `tiltbot convert DATA --out STORE` makes one"


def _first(error: ValidationError) -> str:
    return explain(error).splitlines()[0][:300]
