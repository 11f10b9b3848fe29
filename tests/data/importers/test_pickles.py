import base64
import collections
import contextlib
import datetime as dt
import io
import pickle
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_ros.data.importers.pickles import load_pickle, read_pickle
from tiltbot_ros.errors import FormatError, TiltbotError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=40)
    | st.complex_numbers(allow_nan=False)
)
KEYS = st.text() | st.integers() | st.tuples(st.integers(), st.text())
VALUES = st.recursive(
    SCALARS | st.sets(st.integers()) | st.frozensets(st.text()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
    ),
    max_leaves=12,
)


class Runs:
    """What a hostile pickle is made of: its reading calls `function`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@settings(max_examples=80, deadline=None)
@given(VALUES, st.integers(0, 5))
def test_plain_data_of_every_protocol_is_read_as_python_does(value, protocol):
    assert read_pickle(pickle.dumps(value, protocol), "a file") == value


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_and_scalars_keep_values_types_and_shapes(protocol):
    arrays = {
        "c": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "big": np.arange(5, dtype=">i4"),
        "empty": np.zeros((0, 3), np.float32),
        "none": np.array(2.5),
        "text": np.array(["ab", "c"]),
        "bytes": np.array([b"ab", b"c"]),
        "true": np.array([True, False]),
        "half": np.arange(3, dtype=np.float16),
    }
    given_ = {**arrays, "scalars": [np.float32(2.5), np.int64(-3), np.bool_(True)]}
    read = read_pickle(pickle.dumps(given_, protocol), "a file")
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype.newbyteorder("=")
        assert read[name].shape == array.shape
    assert read["scalars"] == given_["scalars"]
    assert [type(value) for value in read["scalars"]] == [np.float32, np.int64, np.bool_]


def test_an_array_that_occurs_twice_is_read_twice():
    array = np.arange(4)
    read = read_pickle(pickle.dumps([array, array, {"again": array}]), "a file")
    assert [list(part) for part in read[:2]] == [[0, 1, 2, 3]] * 2
    assert list(read[2]["again"]) == [0, 1, 2, 3]


def test_what_python_2_wrote_is_read_as_latin_1():
    # pickle.dumps({'2019-5-21-14-3-2-7.jpg': {'pose': numpy.array([1.0, 2.0]), 'n': 3L}}, 2)
    # as CPython 2.7 with NumPy 1.16 writes it.
    data = (
        b"\x80\x02}q\x01U\x162019-5-21-14-3-2-7.jpgq\x02}q\x03(U\x04poseq\x04"
        b"cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85U\x01b\x87Rq\x07"
        b"(K\x01K\x02\x85cnumpy\ndtype\nq\x08U\x02f8K\x00K\x01\x87Rq\x09(K\x03U\x01<NNNJ\xff\xff\xff"
        b"\xffJ\xff\xff\xff\xffK\x00tb\x89U\x10"
        + struct.pack("<dd", 1.0, 2.0)
        + b"tbU\x01nq\x0a\x8a\x01\x03us."
    )
    read = read_pickle(data, "a file")
    info = read["2019-5-21-14-3-2-7.jpg"]
    assert list(info["pose"]) == [1.0, 2.0]
    assert info["n"] == 3


PYTHON_2 = {
    "cPickle, protocol 0": (
        "KGxwMQooZHAyClMnMjAxOS01LTIxLTE0LTMtMi03LmpwZycKcDMKKGRwNApTJ2MnCmNfX2J1aWx0aW5fXwpj"
        "b21wbGV4CnA1CihGMQpGMgp0UnA2CnNTJ2YnCmNfX2J1aWx0aW5fXwpmcm96ZW5zZXQKcDcKKChscDgKUydh"
        "JwphdFJwOQpzUydiaWcnCnAxMApMMTAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDBM"
        "CnNTJ3AnCihscDExCkYxCmFJMgphTDNMCmFJMDEKYU5hUydceGZmXHgwMGNhZlx4ZTknCnAxMgphVlx1MjBh"
        "Ywphc1MncycKY19fYnVpbHRpbl9fCnNldApwMTMKKChscDE0CkkxCmF0UnAxNQpzUyd0JwooSTEKKEkyCnRw"
        "MTYKdHAxNwpzc2EobHAxOAooUydmaWxlMDAwMDAwMS5qcGcnCnAxOQpnMwp0cDIwCmFhZzE4CmEu"
    ),
    "pickle, protocol 2": (
        "gAJdcQAofXEBVRYyMDE5LTUtMjEtMTQtMy0yLTcuanBncQJ9cQMoVQFjcQRjX19idWlsdGluX18KY29tcGxl"
        "eApxBUc/8AAAAAAAAEdAAAAAAAAAAIZxBlJxB1UBZnEIY19fYnVpbHRpbl9fCmZyb3plbnNldApxCV1xClUB"
        "YXELYYVxDFJxDVUDYmlncQ6KEQAAAAAAYfW5q7+kXMPxKWMdVQFwcQ9dcRAoRz/wAAAAAAAASwKKAQOITlUG"
        "/wBjYWbpcRFYAwAAAOKCrHESZVUBc3ETY19fYnVpbHRpbl9fCnNldApxFF1xFUsBYYVxFlJxF1UBdHEYSwFL"
        "AoVxGYZxGnVzXXEbVQ9maWxlMDAwMDAwMS5qcGdxHGgChnEdYWgbZS4="
    ),
}
"""What CPython 2.7.18 itself writes of the value below, in base 64."""


@pytest.mark.parametrize("writer", PYTHON_2)
def test_pickles_of_python_2_itself_are_read(writer):
    value, pairs, again = read_pickle(base64.b64decode(PYTHON_2[writer]), "a file")
    assert value == {
        "2019-5-21-14-3-2-7.jpg": {
            "p": [1.0, 2, 3, True, None, "\xff\x00caf\xe9", "\u20ac"],
            "t": (1, (2,)),
            "s": {1},
            "f": frozenset(["a"]),
            "c": 1 + 2j,
            "big": 10**40,
        }
    }
    assert pairs == [("file0000001.jpg", "2019-5-21-14-3-2-7.jpg")] == again


def test_escapes_of_protocol_0_strings_are_read():
    assert read_pickle(b"S'a\\x00\\xff\\n\\'\\\\'\np0\n.", "a file") == "a\x00\xff\n'\\"
    assert read_pickle(b"(lp0\nI01\naL12L\naF1.5\na.", "a file") == [True, 12, 1.5]


def run(*_):
    raise AssertionError("the pickle was run")


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("hostile", "refused"),
    [
        (Runs(__import__("os").system, "echo run"), r"(posix|nt)\.system"),
        (Runs(eval, "1 + 1"), r"builtins\.eval"),
        (Runs(exec, "x = 1"), r"builtins\.exec"),
        (Runs(__import__("subprocess").call, ["true"]), r"(subprocess|commands)\.call"),
        (Runs(getattr, "x", "upper"), r"builtins\.getattr"),
        (Runs(open, "x", "w"), r"io\.open"),
        (Runs(np.load, "x.npy"), r"numpy\.load"),
        (dt.date(2019, 5, 1), r"datetime\.date"),
        (collections.defaultdict(list), r"collections\.defaultdict"),
        (Path("x"), r"pathlib"),
        (Runs(run), r"[a-z_.]*test_pickles\.run"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_other_name_is_refused_and_told(tmp_path, protocol, hostile, refused):
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps({"tray": [1, hostile]}, protocol))
    with pytest.raises(FormatError, match=rf"data\.pkl: refused the name '{refused}"):
        load_pickle(path)


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'echo run'\ntR.",
        b"(S'echo run'\nios\nsystem\n.",
        b"(cos\nsystem\nS'echo run'\no.",
        b"\x80\x02cnumpy\nndarray\n)\x81.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        b"\x80\x02}\x82\x01.",
        b"Pthing\n.",
        b"K\x01Q.",
        b"\x80\x05\x97.",
        b"\x80\x02]}(U\x09__class__K\x01ub.",
        b"\x80\x02cnumpy\ndtype\nU\x01OK\x00K\x01\x87R.",
        b"\x80\x02cnumpy\ndtype\nU\x03V16K\x00K\x01\x87R.",
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R.",
    ],
)
def test_exploits_made_by_hand_are_refused(data):
    with pytest.raises(FormatError, match=r"a file: (refused|expected)"):
        read_pickle(data, "a file")


HUGE_ARRAY = (
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    b"(K\x01(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ftcnumpy\ndtype\nU\x02f8K\x00K\x01\x87R\x89U\x01xtb."
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"\x80\xff.",
        b"K",
        b"K\x01K\x02.",
        b"(.",
        b"t.",
        b"h\x07.",
        b"\x8b\xff\xff\xff\x7f\x01.",
        b"\x8e" + b"\xff" * 8 + b".",
        b"\x96" + b"\xff" * 7 + b"\x00.",
        b"X\xff\xff\xff\xffabc.",
        b"T\xff\xff\xff\xffabc.",
        b"L" + b"9" * 10_000 + b"\n.",
        b"]K\x01s.",
        b"}(K\x01u.",
        b"}]K\x01s.",
        HUGE_ARRAY,
    ],
)
def test_bytes_that_are_no_pickle_are_refused(data):
    with pytest.raises(FormatError, match="a file: "):
        read_pickle(data, "a file")


def test_a_memo_index_of_four_billion_costs_nothing():
    assert read_pickle(b"K\x01r\xff\xff\xff\xff0j\xff\xff\xff\xff.", "a file") == 1


def test_a_tuple_whose_hash_would_take_for_ever_is_no_key():
    nested = b"\x80\x02}K\x00" + b"2\x86" * 200 + b"K\x01s."
    began = time.process_time()
    with pytest.raises(FormatError, match="as key"):
        read_pickle(nested, "a file")
    assert time.process_time() - began < 5  # it would be 2 to the 200


def test_copies_of_copies_end():
    many = b"\x80\x02]q\x00(" + b"K\x01" * 2000 + b"e" + b"0"
    bomb = many + b"]q\x01(" + b"c__builtin__\nset\nh\x00\x85R" * 5000 + b"e."
    with pytest.raises(FormatError, match="refused to copy"):
        read_pickle(bomb, "a file")


def test_deeply_nested_lists_are_read_without_recursion():
    depth = 200_000
    value = read_pickle(b"]" * depth + b"a" * (depth - 1) + b".", "a file")
    levels = 1
    while value:
        value = value[0]
        levels += 1
    assert levels == depth


def _sample() -> bytes:
    stream = io.BytesIO()
    infos = {
        f"2019-5-21-14-3-{i}-7": {"pose": np.arange(6.0), "ok": True, "n": np.float32(i)}
        for i in range(3)
    }
    pickle.dump(infos, stream, 2)
    return stream.getvalue()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_never_raise_anything_else(data):
    with contextlib.suppress(TiltbotError):
        read_pickle(data, "a file")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=6))
def test_mutated_pickles_never_raise_anything_else(changes):
    data = bytearray(_sample())
    for at, value in changes:
        data[at % len(data)] = value
    with contextlib.suppress(TiltbotError):
        read_pickle(bytes(data), "a file")


def test_every_truncation_is_told():
    data = _sample()
    for end in range(len(data)):
        with pytest.raises(FormatError):
            read_pickle(data[:end], "a file")


def test_an_absent_file_is_told(tmp_path):
    with pytest.raises(FormatError, match=r"nothing\.pkl: cannot be read"):
        load_pickle(tmp_path / "nothing.pkl")
