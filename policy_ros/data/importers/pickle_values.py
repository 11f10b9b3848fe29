"""What a pickle may name, rebuilt by code that is written here."""

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import FormatError

_DTYPE = re.compile(r"[<>|=]?[biufcSU]\d{1,6}")
_KEYS = (str, bytes, int, float, complex, bool, type(None))
_ENCODINGS = {"latin1", "latin-1", "utf-8", "ascii"}
_OLD_MODULES = {
    "__builtin__": "builtins",
    "numpy._core.multiarray": "numpy.core.multiarray",
    "numpy._core.numeric": "numpy.core.numeric",
}
_ARRAY = "numpy.ndarray"


class Name:
    """A name out of a pickle that may be called.

    Attributes:
        text: module and attribute.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class EmptyArray:
    """An array that still lacks its content.

    Attributes:
        places: where the memo holds it.
    """

    __slots__ = ("places",)

    def __init__(self) -> None:
        self.places: list[int] = []


class PlainType:
    """A NumPy type in the making: its byte order comes after its name."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype

    def order(self, state: Any) -> None:
        """Take the byte order out of the pickled state of the type."""
        fits = isinstance(state, tuple) and len(state) >= 5 and state[1] in {"<", ">", "|", "="}
        if not fits or any(part is not None for part in state[2:5]):
            raise FormatError("expected the state of a NumPy type of plain numbers or texts")
        if state[1] != "|":
            self.dtype = self.dtype.newbyteorder(state[1])


def known_name(module: str, attribute: str) -> Name:
    """Return a name that may be called.

    Raises:
        FormatError: it is none of them; nothing was looked up or imported.
    """
    text = f"{_OLD_MODULES.get(module, module)}.{attribute}"
    if text != _ARRAY and text not in _CALLS:
        raise FormatError(
            f"refused the name {text[:200]!r}: expected plain data (numbers, texts, lists, "
            "dictionaries, NumPy arrays); a pickle that names anything else is not read"
        )
    return Name(text)


def called(function: Any, arguments: Any) -> Any:
    """Return what calling a known name would return.

    Raises:
        FormatError: it is none, or the arguments are not what it takes.
    """
    if not isinstance(function, Name) or not isinstance(arguments, tuple):
        raise FormatError(f"refused to call {kind_of(function)}: expected a name of plain data")
    return _CALLS[function.text](*arguments)


def array(state: Any) -> npt.NDArray[Any]:
    """Return the array of a pickled state (version, shape, type, order, content).

    Raises:
        FormatError: it is no such state, or its parts do not fit each other.
    """
    if not isinstance(state, tuple) or len(state) != 5:
        raise FormatError(f"expected the state of a NumPy array, got {kind_of(state)}")
    _, shape, dtype, fortran, content = state
    return _filled(content, dtype, shape, fortran=bool(fortran))


def as_key(value: Any) -> Any:
    """Return a value that may be a key: nothing whose hash takes long, or changes.

    Raises:
        FormatError: it is no text, number, or tuple of these.
    """
    parts = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(part, _KEYS) for part in parts):
        raise FormatError(f"expected a text or number as key, got {kind_of(value)}")
    return value


def kind_of(value: Any) -> str:
    """Return what a value is, in few words whatever it holds."""
    if isinstance(value, Name):
        return f"the name {value.text!r}"
    return f"a value of type {type(value).__name__}"


def size(value: Any) -> int:
    """Return how much work it is at most to copy what a call or a state is given."""
    parts = value if isinstance(value, tuple) else (value,)
    return sum(
        len(part) if isinstance(part, str | bytes | bytearray | list | tuple | set) else 1
        for part in parts[:16]
    )


def _filled(content: Any, dtype: Any, shape: Any, *, fortran: bool) -> npt.NDArray[Any]:
    """Return a read-only array of native byte order; its bytes are not copied if it has it."""
    if not isinstance(dtype, PlainType):
        raise FormatError(f"expected a NumPy type, got {kind_of(dtype)}")
    sizes = (shape,) if isinstance(shape, int) else shape
    if (
        not isinstance(sizes, tuple)
        or len(sizes) > 32
        or any(not isinstance(length, int) or length < 0 for length in sizes)
    ):
        raise FormatError(f"expected the shape of an array, got {kind_of(shape)}")
    data = _bytes(content)
    width = dtype.dtype.itemsize
    count = 1
    for length in sizes:
        count *= length
    if count * width != len(data) or (width == 0 and count > 1):
        raise FormatError(
            f"expected an array of {len(data)} bytes, got one that claims {count:.0e} x {width}"
        )
    if not data:
        return np.zeros(sizes, dtype.dtype)
    values = np.frombuffer(data, dtype.dtype).reshape(sizes, order="F" if fortran else "C")
    return values.astype(dtype.dtype.newbyteorder("="), copy=False)


def _bytes(value: Any) -> bytes:
    """Return bytes, also those that Python 2 wrote as a string."""
    if isinstance(value, str):
        return value.encode("latin-1")
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    raise FormatError(f"expected bytes, got {kind_of(value)}")


def _dtype(name: Any, *_: Any) -> PlainType:
    if not isinstance(name, str) or not _DTYPE.fullmatch(name):
        raise FormatError(f"expected a NumPy type of plain numbers or texts, got {name!r:.60}")
    return PlainType(np.dtype(name))


def _reconstruct(subtype: Any, *_: Any) -> EmptyArray:
    if not isinstance(subtype, Name) or subtype.text != _ARRAY:
        raise FormatError(f"expected an array to rebuild, got {kind_of(subtype)}")
    return EmptyArray()


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> npt.NDArray[Any]:
    return _filled(content, dtype, shape, fortran=order == "F")


def _scalar(dtype: Any, content: Any) -> Any:
    return _filled(content, dtype, (), fortran=False)[()]


def _encode(text: Any, encoding: Any = "utf-8") -> bytes:
    if not isinstance(text, str) or encoding not in _ENCODINGS:
        raise FormatError(f"expected a text to encode as latin1, got {kind_of(text)}")
    return text.encode(encoding)


def _empty_bytes() -> bytes:
    return b""


def _bytearray(content: Any = b"", encoding: Any = None) -> bytearray:
    return bytearray(_bytes(content) if encoding is None else _encode(content, encoding))


def _complex(real: Any, imaginary: Any) -> complex:
    return complex(float(real), float(imaginary))


def _members(values: Any) -> list[Any]:
    if not isinstance(values, list | tuple):
        raise FormatError(f"expected values in a list, got {kind_of(values)}")
    return [as_key(value) for value in values]


def _set(values: Any = ()) -> set[Any]:
    return set(_members(values))


def _frozenset(values: Any = ()) -> frozenset[Any]:
    return frozenset(_members(values))


def _ordered_dict(pairs: Any = ()) -> OrderedDict[Any, Any]:
    if not isinstance(pairs, list | tuple):
        raise FormatError(f"expected pairs in a list, got {kind_of(pairs)}")
    return OrderedDict((as_key(name), value) for name, value in pairs)


_CALLS: dict[str, Callable[..., Any]] = {
    "numpy.dtype": _dtype,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _from_buffer,
    "_codecs.encode": _encode,
    "builtins.bytes": _empty_bytes,
    "builtins.bytearray": _bytearray,
    "builtins.complex": _complex,
    "builtins.set": _set,
    "builtins.frozenset": _frozenset,
    "collections.OrderedDict": _ordered_dict,
}
