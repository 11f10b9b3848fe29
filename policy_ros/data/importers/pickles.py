"""Read pickles without running anything that they say.

A pickle is a program for a stack machine, and Python's own machine calls what
the program names. This one knows the instructions that build plain data and a
handful of names, each rebuilt by code written here: numbers, texts, bytes,
lists, tuples, dictionaries, sets, ordered dictionaries, NumPy arrays and
NumPy scalars. Every other name, and every instruction that would create or
change an object, ends the reading. Nothing is imported or called by name.

Pickles of Python 2 are read as `pickle.load(..., encoding="latin1")` reads
them: its strings become text of the same code points.
"""

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from policy_ros.data.importers.pickle_values import (
    EmptyArray,
    PlainType,
    array,
    as_key,
    called,
    kind_of,
    known_name,
    size,
)
from tiltbot_ros.errors import FormatError

_PROTOCOL = 5


def load_pickle(path: Path) -> Any:
    """Return the plain data in a pickle file.

    Raises:
        FormatError: the file is absent, no pickle, truncated, or holds more
            than plain data; the text names the file and what was refused.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from error
    return read_pickle(data, str(path))


def read_pickle(data: bytes, name: str) -> Any:
    """Return the plain data in the bytes of a pickle.

    Args:
        data: all of it.
        name: what errors call it.

    Raises:
        FormatError: as `load_pickle`.
    """
    machine = _Machine(data)
    try:
        return machine.run()
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from error
    except (
        ArithmeticError,
        LookupError,
        MemoryError,
        RecursionError,
        TypeError,
        ValueError,
        struct.error,
    ) as error:
        raise FormatError(
            f"{name}: expected a pickle, got bytes that are none or damaged near byte "
            f"{machine.position}: {type(error).__name__}: {error}"
        ) from error


class _Machine:
    """The stack machine over one pickle."""

    def __init__(self, data: bytes) -> None:
        self.position = 0
        self._data = data
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._work = 0

    def run(self) -> Any:
        """Run to the end of the program and return what it leaves."""
        while True:
            code = self._take(1)
            if code == b".":
                return self._finished()
            instruction = _INSTRUCTIONS.get(code)
            if instruction is None:
                raise FormatError(_refusal(code, self.position - 1))
            instruction(self)

    def _finished(self) -> Any:
        value = self._pop()
        if self._stack or self._marks:
            raise FormatError("expected one value, got a pickle that leaves several")
        return value

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if count < 0 or end > len(self._data):
            raise FormatError(
                f"expected {count} bytes more at byte {self.position} of {len(self._data)}: "
                "the pickle is truncated or damaged"
            )
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def _number(self, layout: struct.Struct) -> Any:
        return layout.unpack(self._take(layout.size))[0]

    def _line(self) -> bytes:
        end = self._data.find(b"\n", self.position)
        if end < 0:
            raise FormatError("expected the end of a line, got the end of the pickle")
        line = self._data[self.position : end]
        self.position = end + 1
        return line

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        floor = self._marks[-1] if self._marks else 0
        if len(self._stack) <= floor:
            raise FormatError(f"expected a value on the stack at byte {self.position}, found none")
        return self._stack.pop()

    def _top(self, kind: type | tuple[type, ...]) -> Any:
        value = self._pop()
        self._stack.append(value)
        if not isinstance(value, kind):
            raise FormatError(f"expected a container at byte {self.position}, got {kind_of(value)}")
        return value

    def _since_mark(self) -> list[Any]:
        if not self._marks:
            raise FormatError(f"expected a mark at byte {self.position}, found none")
        start = self._marks.pop()
        values = self._stack[start:]
        del self._stack[start:]
        return values

    def protocol(self) -> None:
        version = self._take(1)[0]
        if version > _PROTOCOL:
            raise FormatError(f"expected a pickle of protocol 0 to {_PROTOCOL}, got {version}")

    def frame(self) -> None:
        self._take(8)

    def mark(self) -> None:
        self._marks.append(len(self._stack))

    def pop(self) -> None:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self._pop()

    def pop_mark(self) -> None:
        self._since_mark()

    def duplicate(self) -> None:
        self._push(self._top(object))

    def put(self, index: int) -> None:
        value = self._top(object)
        if isinstance(value, EmptyArray):
            value.places.append(index)
        self._memo[index] = value

    def memoize(self) -> None:
        self.put(len(self._memo))

    def get(self, index: int) -> None:
        self._push(self._memo[index])

    def integer_line(self) -> None:
        line = self._line()
        self._push({b"00": False, b"01": True}[line] if line in {b"00", b"01"} else int(line))

    def long_line(self) -> None:
        self._push(int(self._line().rstrip(b"L")))

    def long(self, count: int) -> None:
        self._push(int.from_bytes(self._take(count), "little", signed=True))

    def string_line(self) -> None:
        line = self._line().strip()
        if len(line) < 2 or line[:1] not in {b'"', b"'"} or line[-1:] != line[:1]:
            raise FormatError(f"expected a string in quotes before byte {self.position}")
        plain = line[1:-1].decode("latin-1")
        self._push(re.sub(r"\\(x[0-9a-fA-F]{2}|.)", _unescaped, plain, flags=re.DOTALL))

    def text(self, count: int) -> None:
        self._push(self._take(count).decode("utf-8", "surrogatepass"))

    def make_tuple(self, count: int) -> None:
        values = [self._pop() for _ in range(count)]
        self._push(tuple(reversed(values)))

    def append(self) -> None:
        value = self._pop()
        self._top(list).append(value)

    def extend(self) -> None:
        values = self._since_mark()
        self._top(list).extend(values)

    def set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._top(dict)[as_key(key)] = value

    def set_items(self) -> None:
        pairs = _pairs(self._since_mark())
        self._top(dict).update(pairs)

    def add_items(self) -> None:
        values = self._since_mark()
        self._top(set).update(as_key(value) for value in values)

    def name(self, module: str, attribute: str) -> None:
        self._push(known_name(module, attribute))

    def name_line(self) -> None:
        module = self._line().decode("utf-8")
        self.name(module, self._line().decode("utf-8"))

    def stack_name(self) -> None:
        attribute, module = self._pop(), self._pop()
        if not isinstance(attribute, str) or not isinstance(module, str):
            raise FormatError(f"expected the texts of a name at byte {self.position}")
        self.name(module, attribute)

    def call(self) -> None:
        arguments, function = self._pop(), self._pop()
        self._spend(arguments)
        self._push(called(function, arguments))

    def build(self) -> None:
        state, target = self._pop(), self._pop()
        self._spend(state)
        if isinstance(target, PlainType):
            target.order(state)
            self._push(target)
        elif isinstance(target, EmptyArray):
            whole = array(state)
            for index in target.places:
                self._memo[index] = whole
            self._push(whole)
        else:
            raise FormatError(
                f"refused to set the state of {kind_of(target)}: only NumPy arrays have one"
            )

    def _spend(self, argument: Any) -> None:
        """Bound the work: what was read once could be copied again and again."""
        self._work += size(argument)
        if self._work > 4 * len(self._data) + 4096:
            raise FormatError("refused to copy the same data more often than a data file does")


def _pairs(values: list[Any]) -> list[tuple[Any, Any]]:
    if len(values) % 2:
        raise FormatError("expected keys and values in turn, got a key without a value")
    return [(as_key(key), value) for key, value in zip(values[::2], values[1::2], strict=True)]


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "x":
        return chr(int(code[1:], 16))
    return {"n": "\n", "r": "\r", "t": "\t", "\n": ""}.get(code, code)


def _refusal(code: bytes, position: int) -> str:
    word = _REFUSED.get(code)
    if word is None:
        return f"expected a pickle, got the unknown instruction {code!r} at byte {position}"
    return f"refused the instruction {word} at byte {position}: expected plain data"


_INT32 = struct.Struct("<i")
_UINT16 = struct.Struct("<H")
_UINT32 = struct.Struct("<I")
_UINT64 = struct.Struct("<Q")
_FLOAT64 = struct.Struct(">d")
_BYTE = struct.Struct("<B")

_REFUSED = {
    b"i": "INST",
    b"o": "OBJ",
    b"\x81": "NEWOBJ",
    b"\x92": "NEWOBJ_EX",
    b"\x82": "EXT1",
    b"\x83": "EXT2",
    b"\x84": "EXT4",
    b"P": "PERSID",
    b"Q": "BINPERSID",
    b"\x97": "NEXT_BUFFER",
    b"\x98": "READONLY_BUFFER",
}

# ruff: noqa: SLF001 - the table is a part of the machine
_INSTRUCTIONS: dict[bytes, Callable[[_Machine], None]] = {
    b"\x80": _Machine.protocol,
    b"\x95": _Machine.frame,
    b"(": _Machine.mark,
    b"0": _Machine.pop,
    b"1": _Machine.pop_mark,
    b"2": _Machine.duplicate,
    b"p": lambda m: m.put(int(m._line())),
    b"q": lambda m: m.put(m._number(_BYTE)),
    b"r": lambda m: m.put(m._number(_UINT32)),
    b"\x94": _Machine.memoize,
    b"g": lambda m: m.get(int(m._line())),
    b"h": lambda m: m.get(m._number(_BYTE)),
    b"j": lambda m: m.get(m._number(_UINT32)),
    b"N": lambda m: m._push(None),
    b"\x88": lambda m: m._push(True),
    b"\x89": lambda m: m._push(False),
    b"I": _Machine.integer_line,
    b"L": _Machine.long_line,
    b"J": lambda m: m._push(m._number(_INT32)),
    b"K": lambda m: m._push(m._number(_BYTE)),
    b"M": lambda m: m._push(m._number(_UINT16)),
    b"\x8a": lambda m: m.long(m._number(_BYTE)),
    b"\x8b": lambda m: m.long(m._number(_INT32)),
    b"F": lambda m: m._push(float(m._line())),
    b"G": lambda m: m._push(m._number(_FLOAT64)),
    b"S": _Machine.string_line,
    b"T": lambda m: m._push(m._take(m._number(_INT32)).decode("latin-1")),
    b"U": lambda m: m._push(m._take(m._number(_BYTE)).decode("latin-1")),
    b"B": lambda m: m._push(m._take(m._number(_UINT32))),
    b"C": lambda m: m._push(m._take(m._number(_BYTE))),
    b"\x8e": lambda m: m._push(m._take(m._number(_UINT64))),
    b"\x96": lambda m: m._push(bytearray(m._take(m._number(_UINT64)))),
    b"V": lambda m: m._push(m._line().decode("raw-unicode-escape")),
    b"X": lambda m: m.text(m._number(_UINT32)),
    b"\x8c": lambda m: m.text(m._number(_BYTE)),
    b"\x8d": lambda m: m.text(m._number(_UINT64)),
    b")": lambda m: m.make_tuple(0),
    b"\x85": lambda m: m.make_tuple(1),
    b"\x86": lambda m: m.make_tuple(2),
    b"\x87": lambda m: m.make_tuple(3),
    b"t": lambda m: m._push(tuple(m._since_mark())),
    b"]": lambda m: m._push([]),
    b"l": lambda m: m._push(m._since_mark()),
    b"a": _Machine.append,
    b"e": _Machine.extend,
    b"}": lambda m: m._push({}),
    b"d": lambda m: m._push(dict(_pairs(m._since_mark()))),
    b"s": _Machine.set_item,
    b"u": _Machine.set_items,
    b"\x8f": lambda m: m._push(set()),
    b"\x90": _Machine.add_items,
    b"\x91": lambda m: m._push(frozenset(as_key(value) for value in m._since_mark())),
    b"c": _Machine.name_line,
    b"\x93": _Machine.stack_name,
    b"R": _Machine.call,
    b"b": _Machine.build,
}
