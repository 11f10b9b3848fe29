import threading

import numpy as np

from tiltbot_ros.sensors.sample_ring import SampleRing


def ramp(first: int, frames: int) -> np.ndarray:
    return np.repeat(np.arange(first, first + frames, dtype=np.float32)[:, None], 2, axis=1)


def test_chunks_come_out_whole_and_in_order_across_the_end_of_the_ring():
    ring = SampleRing(frames=1000, channels=2)
    rng = np.random.default_rng(0)
    first = 0
    for _ in range(200):
        lengths = rng.integers(1, 300, 2)
        for frames in lengths:
            ring.write(ramp(first, frames), host_ns=first, overflow=False)
            first += frames
        for frames in lengths:
            chunk = ring.read()
            assert chunk is not None
            assert chunk.lost_frames == 0
            assert np.array_equal(chunk.samples, ramp(chunk.host_ns, frames))
            ring.release()
        assert ring.read() is None
        assert ring.fill == 0.0


def test_what_does_not_fit_is_counted_and_told_with_the_next_chunk():
    ring = SampleRing(frames=1000, channels=2)
    ring.write(ramp(0, 900), host_ns=0, overflow=False)
    ring.write(ramp(900, 200), host_ns=900, overflow=True)
    ring.write(ramp(1100, 300), host_ns=1100, overflow=False)
    ring.read()
    ring.release()
    ring.write(ramp(1400, 100), host_ns=1400, overflow=False)
    chunk = ring.read()
    assert chunk is not None
    assert (chunk.host_ns, chunk.lost_frames, chunk.overflow) == (1400, 500, True)


def test_a_full_list_of_chunks_is_a_loss_too():
    ring = SampleRing(frames=1000, channels=2, chunks=4)
    for index in range(5):
        ring.write(ramp(index, 1), host_ns=index, overflow=False)
    for _ in range(4):
        ring.read()
        ring.release()
    assert ring.read() is None
    ring.write(ramp(5, 1), host_ns=5, overflow=False)
    chunk = ring.read()
    assert chunk is not None
    assert chunk.lost_frames == 1


def test_a_writer_and_a_reader_at_full_speed_lose_only_what_they_count():
    ring = SampleRing(frames=2048, channels=2)
    total = 400_000
    done = threading.Event()

    def write() -> None:
        rng = np.random.default_rng(1)
        first = 0
        while first < total:
            frames = int(rng.integers(1, 128))
            ring.write(ramp(first, frames), host_ns=first, overflow=False)
            first += frames
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    expected = 0
    while True:
        finished = done.is_set()
        chunk = ring.read()
        if chunk is None:
            if finished:
                break
            continue
        expected += chunk.lost_frames
        assert chunk.host_ns == expected
        assert np.array_equal(chunk.samples, ramp(expected, len(chunk.samples)))
        expected += len(chunk.samples)
        ring.release()
    writer.join()
    assert expected > 0
