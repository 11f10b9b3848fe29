import itertools

import numpy as np
import pytest

from tiltbot_ros.arms.tilts import RandomTilts, TiltSettings
from tiltbot_ros.errors import ConfigError, LimitError, WorldError
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.recording import simulate
from tiltbot_ros.worlds.shapes import half_extents, parts_of
from tiltbot_ros.worlds.tray import TrayWorld
from tiltbot_ros.worlds.tray_model import INNER_M, TraySettings

RATE = 44_100


def run(name, blocks, *, seed=5, settings=None, tilt=(0.3, -0.25)):
    world = TrayWorld(settings, seed=seed)
    world.place(name)
    world.command(np.array(tilt))
    chunks = [world.advance(block) for block in blocks]
    return world, chunks


def joined(chunks):
    return np.concatenate([chunk.samples for chunk in chunks])


@pytest.mark.parametrize("name", ["005_tomato_soup_can", "025_mug"])
def test_cutting_time_differently_changes_no_bit(name):
    whole_world, whole = run(name, [RATE])
    rng = np.random.default_rng(0)
    cuts = np.sort(rng.choice(np.arange(1, RATE), 60, replace=False))
    ragged = np.diff([0, *cuts.tolist(), RATE]).tolist()
    for blocks in ([441] * 100, ragged):
        world, parts = run(name, blocks)
        np.testing.assert_array_equal(joined(parts), joined(whole))
        contacts = [contact for chunk in parts for contact in chunk.contacts]
        assert [(c.frame, c.wall, c.level) for c in contacts] == [
            (c.frame, c.wall, c.level) for c in whole[0].contacts
        ]
        frames = np.concatenate([chunk.track.frame for chunk in parts])
        np.testing.assert_array_equal(frames, whole[0].track.frame)
        tracks = np.concatenate([chunk.track.object_position for chunk in parts])
        np.testing.assert_array_equal(tracks, whole[0].track.object_position)
        np.testing.assert_array_equal(
            world.state.object_quaternion, whole_world.state.object_quaternion
        )
    assert whole[0].contacts


def test_scheduled_commands_equal_live_ones():
    live, ahead = TrayWorld(seed=2), TrayWorld(seed=2)
    for world in (live, ahead):
        world.place("red_cube")
    targets = [np.array([0.01 * k, -0.005 * k]) for k in range(40)]
    for k, target in enumerate(targets):
        ahead.command(target, frame=441 * k)
    parts = []
    for target in targets:
        live.command(target)
        parts.append(live.advance(441))
    np.testing.assert_array_equal(joined(parts), ahead.advance(441 * 40).samples)


def test_same_seed_same_world_and_another_seed_another():
    _, first = run("red_cube", [20_000])
    _, second = run("red_cube", [20_000])
    _, other = run("red_cube", [20_000], seed=6)
    np.testing.assert_array_equal(first[0].samples, second[0].samples)
    assert (first[0].samples != other[0].samples).any()


@pytest.mark.parametrize("tilt", [(0.45, 0.0), (0.0, -0.45), (0.318, 0.318), (-0.1, 0.2)])
@pytest.mark.parametrize("name", [None, "035_power_drill"])
def test_settled_tray_has_the_commanded_normal(tilt, name):
    world, _ = run(name, [2 * RATE], tilt=tilt)
    state = world.state
    np.testing.assert_allclose(state.tilt, tilt, atol=5e-4)
    assert np.abs(state.joint_velocity).max() < 1e-3
    assert abs(state.rotation[2]) < 0.053


def test_tray_follows_a_tilt_with_the_stated_latency():
    world = TrayWorld(seed=1)
    recording = simulate(world, [(0.8, 0.0)])
    track = recording.track
    reference = np.array([0.36 * _blend((f / RATE - 0.023) / 0.4) for f in track.frame])
    rising = track.frame < 0.5 * RATE
    assert np.abs(track.tilt[rising, 0] - reference[rising]).max() < 0.006


def _blend(s):
    s = min(max(s, 0.0), 1.0)
    return s**3 * (10 + s * (6 * s - 15))


def test_state_follows_the_clock_at_100_hz():
    world, chunks = run("013_apple", [441] * 30)
    frames = np.concatenate([chunk.track.frame for chunk in chunks])
    np.testing.assert_array_equal(frames, 441 * np.arange(30))
    assert world.state.time_s == pytest.approx(0.3)
    assert world.frame == 30 * 441


def test_object_is_placed_at_rest_in_the_centre():
    world = TrayWorld(seed=3)
    for name in ("048_hammer", "glass_marble", "paper_cup", "spice_jar"):
        world.place(name)
        chunk = world.advance(RATE // 2)
        position = world.state.object_position
        assert np.hypot(*position[:2]) < 0.003, name
        assert not chunk.contacts, name
    world.place(None)
    assert world.state.object_position is None
    assert np.isnan(world.advance(1000).track.object_position).all()


def test_placing_keeps_the_motion_of_the_tray():
    world, _ = run(None, [RATE // 2])
    before = world.state.tilt
    world.place("061_foam_brick")
    assert world.state.object_position is not None
    np.testing.assert_allclose(world.state.tilt, before, atol=1e-9)
    world.advance(441)
    np.testing.assert_allclose(world.state.tilt, before, atol=1e-3)


def test_hit_is_where_and_when_the_object_meets_the_wall():
    _, chunks = run("077_rubiks_cube", [RATE], tilt=(0.0, 0.35))
    hit = next(contact for contact in chunks[0].contacts if contact.wall != "floor")
    assert hit.wall == "+x"
    assert hit.position[0] == pytest.approx(INNER_M / 2, abs=0.002)
    track = chunks[0].track
    speed = np.diff(track.object_position[:, 0]) * 100
    index = int(np.searchsorted(track.frame, hit.frame))
    assert hit.speed == pytest.approx(speed[index - 3], rel=0.1)
    assert hit.impulse == pytest.approx(0.252 * (hit.speed - speed[index + 2]), rel=0.35)
    assert np.abs(chunks[0].samples.astype(int)).max() < 1.2 * 32767 * hit.level
    sound = np.abs(chunks[0].samples[hit.frame - 200 : hit.frame + 200].astype(float)) / 32767
    assert sound[:, 0].max() == pytest.approx(hit.level, rel=0.2)
    assert sound[:, 0].max() > 3 * sound[:, 2].max()


@pytest.mark.parametrize("spec", ObjectCatalogue.load(), ids=lambda spec: spec.name)
def test_every_object_stays_in_the_tray(spec):
    world = TrayWorld(seed=7)
    world.place(spec)
    settings = TiltSettings(rest_s=0.5)
    recording = simulate(world, itertools.islice(RandomTilts(7, settings), 4), settings)
    position = recording.track.object_position
    assert np.isfinite(position).all()
    assert np.abs(position[:, :2]).max() < INNER_M / 2
    assert position[:, 2].min() > 0.0
    assert position[:, 2].max() < 2.5 * np.linalg.norm(half_extents(parts_of(spec)))
    assert any(contact.wall != "floor" for contact in recording.contacts)


def test_objects_hit_within_the_tilt_and_louder_when_faster():
    world = TrayWorld(seed=4)
    world.place("005_tomato_soup_can")
    recording = simulate(world, [(0.9, 0.0), (-0.45, 0.0)])
    firsts = []
    for tilt in recording.tilts:
        hits = [
            contact
            for contact in recording.contacts
            if tilt.first_frame <= contact.frame < tilt.end_frame and contact.wall != "floor"
        ]
        assert 0.3 < (hits[0].frame - tilt.first_frame) / RATE < 1.6
        firsts.append(hits[0])
    assert firsts[0].speed != firsts[1].speed
    faster, slower = sorted(firsts, key=lambda contact: -contact.speed)
    assert faster.impulse > slower.impulse


def test_other_rates_keep_whole_frames_in_a_step():
    for rate, stride in ((32_000, 32), (192_000, 192)):
        settings = TraySettings(sample_rate_hz=rate)
        assert settings.frames_per_step == stride
        world, chunks = run("red_cube", [rate // 2], settings=settings)
        assert chunks[0].samples.shape == (rate // 2, 4)
        assert len(chunks[0].track.frame) == 50
        assert world.state.time_s == pytest.approx(0.5)


@pytest.mark.parametrize("bad", [[0.1], [np.nan, 0.0], [1.0, 1.0]])
def test_impossible_command_is_refused(bad):
    with pytest.raises(LimitError, match="rotation vector"):
        TrayWorld(seed=0).command(np.array(bad))


def test_past_frames_and_unknown_things_are_refused(tmp_path):
    world = TrayWorld(seed=0)
    world.advance(1000)
    with pytest.raises(WorldError, match="1000"):
        world.command(np.zeros(2), frame=500)
    with pytest.raises(WorldError, match="positive"):
        world.advance(0)
    with pytest.raises(ConfigError, match="red_cube"):
        world.place("red_cub")
    with pytest.raises(ConfigError, match="arm_model"):
        TrayWorld(TraySettings(arm_model=str(tmp_path / "none.xml")), seed=0)
    broken = tmp_path / "arm.xml"
    broken.write_text("<mujoco><what/></mujoco>")
    with pytest.raises(ConfigError, match="MJCF"):
        TrayWorld(TraySettings(arm_model=str(broken)), seed=0)


def test_arm_is_scenery_and_changes_no_physics(tmp_path):
    arm = tmp_path / "arm.xml"
    arm.write_text(
        "<mujoco><worldbody><body name='link' pos='0.75 0 0.45'><joint name='j' axis='0 0 1'/>"
        "<geom size='0.2'/></body></worldbody>"
        "<actuator><motor joint='j'/></actuator></mujoco>"
    )
    _, plain = run("red_cube", [10_000])
    world, with_arm = run("red_cube", [10_000], settings=TraySettings(arm_model=str(arm)))
    assert world.tray_model.model.nbody > TrayWorld(seed=0).tray_model.model.nbody
    np.testing.assert_allclose(
        plain[0].track.object_position, with_arm[0].track.object_position, atol=1e-9
    )


def test_a_snapshot_within_the_last_advance_is_that_of_a_world_which_stopped_there():
    ends = [9_000, 21_000, 21_441]
    stopping, striding = TrayWorld(seed=4), TrayWorld(seed=4)
    for world in (stopping, striding):
        world.place("025_mug")
        world.command(np.array([0.3, 0.1]))
    striding.advance(RATE // 2)
    striding.advance(RATE // 2)
    stopping.advance(RATE // 2)
    for end in ends:
        stopping.advance(RATE // 2 + end - stopping.frame)
        there, then = stopping.snapshot(), striding.snapshot(RATE // 2 + end)
        np.testing.assert_array_equal(then.qpos, there.qpos)
        assert (then.frame, then.placement) == (there.frame, there.placement)
    for frame in (100, RATE + 1):
        with pytest.raises(WorldError, match="last advance"):
            striding.snapshot(frame)
