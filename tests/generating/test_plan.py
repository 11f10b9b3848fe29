import pytest
import quick

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.generating.plan import check_rig


def test_batches_cover_every_episode_once_and_never_overlap_in_time():
    plan = quick.plan(episodes=7, batch_episodes=3)
    batches = plan.batches()
    numbers = [batch.first + i for batch in batches for i in range(batch.episodes)]
    assert numbers == list(range(1, 15))
    assert [batch.object for batch in batches] == [quick.OBJECTS[0]] * 3 + [quick.OBJECTS[1]] * 3
    starts = [batch.start_ns for batch in batches]
    assert starts == sorted(set(starts))
    seeds = {seed for batch in batches for seed in (batch.world_seed, batch.tilt_seed)}
    assert len(seeds) == 12


def test_seeds_hang_on_seed_object_and_batch_alone():
    alone = quick.plan(objects=quick.OBJECTS[1:]).batches()[0]
    second = next(b for b in quick.plan().batches() if b.object == quick.OBJECTS[1])
    assert (alone.world_seed, alone.tilt_seed) == (second.world_seed, second.tilt_seed)
    other = quick.plan(objects=quick.OBJECTS[1:], seed=6).batches()[0]
    assert other.world_seed != alone.world_seed


@pytest.mark.parametrize(
    ("group", "values", "named"),
    [
        ("arm", {"driver": "kinematic"}, "kinematic"),
        ("microphones", {"block_frames": 512}, "block_frames"),
        ("microphones", {"channels": 2}, "channels"),
        ("microphones", {"sample_rate_hz": 48_000}, "sample_rate_hz"),
        ("tracker", {"learning_rate": 0.1}, "learning_rate"),
    ],
)
def test_a_rig_that_cannot_be_generated_is_refused_by_name(group, values, named):
    rig = quick.rig()
    changed = getattr(rig, group).model_copy(update=values)
    with pytest.raises(ConfigError, match=named):
        check_rig(rig.model_copy(update={group: changed}))


def test_unknown_and_repeated_objects_are_refused():
    with pytest.raises(ConfigError, match="025_mug"):
        quick.plan(objects=("25_mug",))
    with pytest.raises(ConfigError, match="once"):
        quick.plan(objects=("025_mug", "025_mug"))
