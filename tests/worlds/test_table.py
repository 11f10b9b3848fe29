import numpy as np
import pytest

from tiltbot_ros.errors import WorldError
from tiltbot_ros.generating.push_plan import choose_objects
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.pushing import Push, PushSettings
from tiltbot_ros.worlds.table import TableWorld
from tiltbot_ros.worlds.table_model import TableSettings, build_table
from tiltbot_ros.worlds.tray_model import TraySettings, build_tray

CATALOGUE = ObjectCatalogue.load()
PUSHED = (*choose_objects(CATALOGUE, "A"), *choose_objects(CATALOGUE, "B"))
SETTINGS = PushSettings()
THROUGH = Push(start=np.array([-0.2, 0.0]), end=np.array([0.04, 0.0]))


def pushed(spec, push=THROUGH, *, yaw=0.4, settings=SETTINGS, table=None):
    world = TableWorld(table, spec)
    world.place(np.zeros(2), yaw, settle_s=0.15)
    return world, world.push(push, settings)


def with_values(name, **values):
    return CATALOGUE.get(name).model_copy(update=values)


def coast(track):
    """How far the object goes after the stick has stopped [m]."""
    stopped = int(np.searchsorted(track.time_s, track.stick_stopped_s))
    return float(np.hypot(*(track.position[-1] - track.position[stopped])[:2]))


def test_object_has_the_mass_shape_and_friction_that_it_has_in_the_tray():
    for spec in PUSHED:
        table = build_table(TableSettings(), spec).model
        tray = build_tray(TraySettings(), spec).model
        for body in ("object",):
            np.testing.assert_array_equal(table.body(body).mass, tray.body(body).mass)
            np.testing.assert_array_equal(table.body(body).inertia, tray.body(body).inertia)
        here = [table.geom(i) for i in range(table.ngeom) if "object" in table.geom(i).name]
        there = [tray.geom(i) for i in range(tray.ngeom) if "object" in tray.geom(i).name]
        assert len(here) == len(there)
        for one, other in zip(here, there, strict=True):
            for what in ("type", "size", "pos", "quat", "contype"):
                np.testing.assert_array_equal(getattr(one, what), getattr(other, what))
        np.testing.assert_array_equal(table.geom("table").friction, tray.geom("floor").friction)
        np.testing.assert_array_equal(table.geom("table").condim, tray.geom("floor").condim)


@pytest.mark.parametrize("spec", PUSHED, ids=lambda spec: spec.name)
def test_pushed_object_goes_along_stays_upright_and_rests(spec):
    world, track = pushed(spec)
    assert track.rested
    assert world.pose.upright > 0.99
    assert abs(world.pose.position[2] - world.table.rest_height) < 0.002
    moved = track.position[-1] - track.position[0]
    assert np.hypot(*moved[:2]) > 0.015
    assert np.abs(world.pose.position[:2]).max() < 0.3


def test_miss_leaves_the_object_where_it_is():
    world = TableWorld(None, CATALOGUE.get("005_tomato_soup_can"))
    world.place(np.zeros(2), 0.0, settle_s=0.15)
    before = world.pose
    track = world.push(Push(start=np.array([-0.2, 0.06]), end=np.array([0.2, 0.06])), SETTINGS)
    assert np.abs(world.pose.position - before.position).max() < 1e-5
    assert abs(world.pose.yaw - before.yaw) < 1e-5
    assert track.rested


def test_stick_follows_the_line_and_keeps_its_speed():
    _, track = pushed(CATALOGUE.get("036_wood_block"))
    moving = track.time_s < track.stick_stopped_s
    assert np.abs(track.stick[:, 1]).max() < 0.002
    speed = np.diff(track.stick[moving, 0]) / np.diff(track.time_s[moving])
    # The path keeps to the bound exactly; the servo swings a little past it.
    assert speed.max() < 1.08 * SETTINGS.speed_m_s
    np.testing.assert_allclose(track.stick[-1], THROUGH.end, atol=5e-4)


def test_rougher_object_stops_sooner_after_the_stick():
    spec = CATALOGUE.get("cork_block")
    ways = [
        coast(pushed(spec, table=TableSettings(friction_scale=scale))[1])
        for scale in (0.6, 1.0, 1.5)
    ]
    assert ways[0] > 1.3 * ways[1] > 1.6 * ways[2]


def test_heavier_object_is_thrown_less_far():
    # Sliding friction takes the same time from any mass; the blow does not.
    light, heavy = (coast(pushed(with_values("glass_jar", mass_kg=m))[1]) for m in (0.1, 1.0))
    assert heavy < 0.9 * light


def test_livelier_material_leaps_off_the_stick():
    lively, dull = (
        pushed(with_values("077_rubiks_cube", material=name), yaw=0.0)[1].speed.max()
        for name in ("glass", "foam")
    )
    assert lively > 1.2 * dull
    assert dull < 1.2 * SETTINGS.speed_m_s


def test_slide_of_a_free_object_is_as_long_as_friction_says():
    for name in ("glass_jar", "cork_block", "hockey_puck"):
        world = TableWorld(None, CATALOGUE.get(name))
        world.place(np.zeros(2), 0.0, settle_s=0.15)
        world.slide(np.array([0.5, 0.0]))
        world.wait(SETTINGS)
        friction = CATALOGUE.get(name).contact.friction
        expected = 0.5**2 / (2 * friction * 9.81)
        assert world.pose.position[0] == pytest.approx(expected, rel=0.05), name


@pytest.mark.parametrize("name", ["glass_jar", "037_scissors", "024_bowl", "paper_cup"])
def test_energy_does_not_grow_when_nothing_pushes(name):
    _, track = pushed(CATALOGUE.get(name))
    # The stick brakes at once; what touches it a little later still gets something.
    free = track.time_s > track.stick_stopped_s + 0.05
    energy = track.energy[free]
    assert len(energy) > 5
    assert np.diff(energy).max() < 0.01 * (track.energy.max() - track.energy.min())
    bounce = 1 + CATALOGUE.get(name).contact.restitution
    assert track.speed.max() < 1.25 * bounce * SETTINGS.speed_m_s


def test_half_the_step_changes_little():
    ends = [
        pushed(CATALOGUE.get("004_sugar_box"), table=TableSettings(step_s=step))[0].pose.position
        for step in (0.001, 0.0005)
    ]
    assert np.abs(ends[0] - ends[1]).max() < 0.01


def test_same_push_twice_is_the_same_bit_for_bit():
    first, second = (pushed(CATALOGUE.get("025_mug"))[1] for _ in range(2))
    np.testing.assert_array_equal(first.position, second.position)
    world, again = pushed(CATALOGUE.get("025_mug"))
    world.place(np.zeros(2), 0.4, settle_s=0.15)
    np.testing.assert_array_equal(world.push(THROUGH, SETTINGS).position, again.position)


def test_empty_table_says_so():
    with pytest.raises(WorldError, match="empty"):
        TableWorld().place(np.zeros(2), 0.0)
