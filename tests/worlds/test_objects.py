import numpy as np
import pytest

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.worlds.modes import HIGHEST_HZ, LOWEST_HZ, first_mode_hz, object_modes
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.shapes import half_extents, parts_of


@pytest.fixture(scope="module")
def catalogue():
    return ObjectCatalogue.load()


def test_holds_60_objects_in_two_even_sets(catalogue):
    assert len(catalogue) == 60
    assert sum(spec.source == "ycb" for spec in catalogue) == 30
    for specs in catalogue.sets.values():
        assert len(specs) == 30
        assert sum(spec.source == "ycb" for spec in specs) == 15
    ycb = [spec.name for spec in catalogue if spec.source == "ycb"]
    assert all(name[:3].isdigit() and name[3] == "_" for name in ycb)


def test_every_object_fits_the_tray_and_its_payload(catalogue):
    for spec in catalogue:
        extents = half_extents(parts_of(spec))
        assert np.hypot(extents[0], extents[1]) < 0.15 or max(extents[:2]) < 0.13, spec.name
        assert spec.mass_kg <= 1.0
        assert extents[2] > 0.001


def test_cubes_differ_in_colour_alone(catalogue):
    cubes = [catalogue.get(f"{color}_cube") for color in ("red", "green", "blue", "yellow")]
    assert len({cube.color for cube in cubes}) == 4
    assert len({cube.acoustic_key for cube in cubes}) == 1
    first = object_modes(cubes[0])
    for cube in cubes[1:]:
        modes = object_modes(cube)
        np.testing.assert_array_equal(modes.frequency_hz, first.frequency_hz)
        np.testing.assert_array_equal(modes.pickup, first.pickup)


def test_other_objects_have_modes_of_their_own_inside_the_range(catalogue):
    seen = {}
    for spec in catalogue:
        assert LOWEST_HZ < first_mode_hz(spec) < HIGHEST_HZ
        key = tuple(object_modes(spec).frequency_hz.round(3))
        assert seen.setdefault(key, spec.acoustic_key) == spec.acoustic_key
    assert len(seen) == 57


def test_unknown_name_offers_close_ones(catalogue):
    with pytest.raises(ConfigError, match="005_tomato_soup_can"):
        catalogue.get("tomato_soup")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("material: cheese, shape: box, size_m: [0.1, 0.1, 0.1], mass_kg: 0.1", "cheese"),
        ("material: wood, shape: box, size_m: [0.1, 0.1], mass_kg: 0.1", "length x"),
        ("material: wood, shape: box, size_m: [0.4, 0.1, 0.1], mass_kg: 0.1", "0.26"),
        ("material: wood, shape: sphere, size_m: [0.1], mass_kg: 1.2", "mass_kg"),
        ("material: wood, shape: sphere, size_m: [0.1], mass_kg: 0.2, smell: sweet", "smell"),
    ],
)
def test_wrong_entry_is_named_with_its_file(tmp_path, entry, expected):
    path = tmp_path / "objects.yaml"
    head = '{name: thing, source: household, set: A, color: "#ffffff", '
    path.write_text(f"objects:\n  - {head}{entry}}}\n")
    with pytest.raises(ConfigError, match=expected) as caught:
        ObjectCatalogue.load(path)
    assert "thing" in str(caught.value)
    assert "objects.yaml" in str(caught.value)


def test_missing_broken_and_empty_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        ObjectCatalogue.load(tmp_path / "none.yaml")
    (tmp_path / "a.yaml").write_text("objects: [")
    with pytest.raises(ConfigError, match="YAML"):
        ObjectCatalogue.load(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text("things: []")
    with pytest.raises(ConfigError, match="'objects'"):
        ObjectCatalogue.load(tmp_path / "b.yaml")
