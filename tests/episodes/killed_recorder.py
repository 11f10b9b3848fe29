"""A recorder to be killed: forks one for every folder named on its standard input.

The recorder writes short synthetic episodes as fast as the disk takes them and
prints the id of each that is said to be finished.
"""

import os
import sys
import tempfile

import streams

from tiltbot_ros.episodes.cdr import write_audio
from tiltbot_ros.episodes.contacts import write_contact
from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.recorder import EpisodeRecorder
from tiltbot_ros.episodes.recorder_settings import RecorderSettings
from tiltbot_ros.episodes.writer import EpisodeWriter, FailedEpisode, WriterSettings

NS = streams.NS
WINDOW_S = 0.1
PIECES = list(streams.blocks(streams.impacts(1.0, (0.5,)), start_ns=0))


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def record(out: streams.Path, *, episodes: int | None = None) -> None:
    """Record for ever, or so many episodes."""
    folder = DataFolder(out)
    facts = streams.facts(before_s=WINDOW_S, after_s=WINDOW_S)
    writer = EpisodeWriter(
        folder, facts, WriterSettings(disk_floor_bytes=0), lambda: 0, wait_when_full=True
    )
    settings = RecorderSettings(
        before_s=WINDOW_S, after_s=WINDOW_S, settle_s=0.01, late_s=0.05, ring_s=5.0
    )
    recorder = EpisodeRecorder(settings, streams.TOPICS, writer)
    recorder.set_object("mug", 0)
    second = finished = 0
    recorder.on_message("/audio/info", streams.info(streams.EPOCH_NS), streams.EPOCH_NS)
    while episodes is None or finished < episodes:
        start_ns = streams.EPOCH_NS + second * NS
        for i, piece in enumerate(PIECES):
            now_ns = start_ns + i * NS // 100
            block = streams.AudioBlock(
                stamp_ns=start_ns + piece.stamp_ns,
                first_sample=second * 44100 + piece.first_sample,
                samples=piece.samples,
                xruns=0,
            )
            audio = write_audio(block, streams.FORMAT, "tray")
            recorder.on_message("/audio", audio, now_ns)
            recorder.on_message("/tray/pose", streams.pose(now_ns), now_ns)
            if i % 16 == 0:
                recorder.on_message("/camera/color/image_raw", streams.image(now_ns), now_ns)
            if i % 20 == 10 and second > 1:
                contact = HeardContact(
                    sample=block.first_sample,
                    stamp_ns=block.stamp_ns,
                    channel=0,
                    level=0.1,
                    threshold=0.01,
                    detector="x",
                )
                recorder.on_message("/contact", write_contact(contact, "mic_0"), now_ns)
                recorder.on_message(
                    "/tilt", streams.tilt(now_ns - NS // 20, now_ns + NS // 20), now_ns
                )
                recorder.on_contact(contact, now_ns)
            for outcome in recorder.tick(now_ns):
                if isinstance(outcome, FailedEpisode):
                    say("failed", outcome.reason)
                else:
                    say(outcome.facts.id)
                    finished += 1
        second += 1
    writer.close()
    folder.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:  # imports and caches all that a child needs
        record(streams.Path(scratch), episodes=2)
    say("ready")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            record(streams.Path(line.strip()))
        say("child", str(child))
        os.waitpid(child, 0)
        say("ended")
