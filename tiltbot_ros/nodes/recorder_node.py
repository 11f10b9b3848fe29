"""Records every contact as an episode: raw messages in, rosbags out."""

from functools import partial
from pathlib import Path

from rclpy.node import Node
from std_srvs.srv import SetBool

from tiltbot.msg import Contact
from tiltbot.srv import LabelEpisode, SetObject
from tiltbot_ros import topics
from tiltbot_ros.episodes import catalogue
from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.recorder import EpisodeRecorder
from tiltbot_ros.episodes.recorder_settings import RecorderSettings
from tiltbot_ros.episodes.verdict_settings import VerdictSettings
from tiltbot_ros.episodes.writer import (
    EpisodeWriter,
    FailedEpisode,
    FinishedEpisode,
    WriterSettings,
)
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, refuse_unknown
from tiltbot_ros.nodes.recorder_messages import episode_message, status_message
from tiltbot_ros.nodes.recording import log_opening, record_streams
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.nodes.wiring import clock_ns, nanoseconds, publisher, subscription
from tiltbot_ros.session import SessionSettings

TICK_S = 0.1


class RecorderNode(Node):
    """Subscribes raw, cuts episodes by header stamp, and tells what became of them."""

    def __init__(self, _fault: Fault) -> None:
        super().__init__("recorder")
        self._session = declare(self, SessionSettings, "session")
        settings = declare(self, RecorderSettings, "recorder")
        writing = declare(self, WriterSettings, "writer")
        limits = declare(self, VerdictSettings, "verdict")
        refuse_unknown(self)
        streams = self._session.streams(settings, full_name=self.resolve_topic_name)
        self._folder = DataFolder(Path(self._session.directory))
        self._writer = EpisodeWriter(
            self._folder,
            self._session.facts(streams, settings=settings, limits=limits),
            writing,
            partial(clock_ns, self),
        )
        self._recorder = EpisodeRecorder(
            settings,
            [stream.recorded for stream in streams],
            self._writer,
            directory=str(self._folder.path),
        )
        self._recorder.set_object(self._session.object, 0)
        self._last = ""
        self._episodes = publisher(self, topics.EPISODE)
        self._statuses = publisher(self, topics.RECORDER_STATUS)
        self._streams = record_streams(self, streams, self._recorder)
        self._contacts = subscription(self, topics.CONTACT, self._on_contact)
        self.create_service(SetObject, "~/set_object", self._set_object)
        self.create_service(SetBool, "~/pause", self._set_paused)
        self.create_service(LabelEpisode, "~/label", self._relabel)
        self.create_timer(TICK_S, self._tick)
        self.create_timer(1.0, self._publish_status)
        self._diagnostics = Diagnostics(self, hardware=str(self._folder.path), health=self._health)
        log_opening(self, self._folder, "episodes")

    def _on_contact(self, message: Contact) -> None:
        contact = HeardContact(
            sample=message.sample,
            stamp_ns=nanoseconds(message.header.stamp),
            channel=message.channel,
            level=message.level,
            threshold=message.threshold,
            detector=message.detector,
        )
        self._recorder.on_contact(contact, clock_ns(self))

    # Episodes

    def _tick(self) -> None:
        self._announce(self._recorder.tick(clock_ns(self)))

    def _announce(self, outcomes: list[FinishedEpisode | FailedEpisode]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, FailedEpisode):
                self.get_logger().error(f"an episode was lost: {outcome.reason}")
                continue
            facts = outcome.facts
            self._last = facts.id
            self._episodes.publish(
                episode_message(outcome, self._recorder.settings, now_ns=clock_ns(self))
            )
            if facts.verdict.clean:
                self.get_logger().info(f"{facts.id} clean ({facts.object or 'no object'})")
            else:
                self.get_logger().warning(
                    f"{facts.id} flagged: {'; '.join(facts.verdict.problems)}"
                )

    def _publish_status(self) -> None:
        status = self._recorder.status(clock_ns(self), self._folder.free_bytes())
        self._statuses.publish(status_message(status))

    # Services

    def _set_object(
        self, request: SetObject.Request, response: SetObject.Response
    ) -> SetObject.Response:
        self._recorder.set_object(request.name, clock_ns(self))
        response.success = True
        response.message = f"new episodes are labelled '{request.name}'"
        return response

    def _set_paused(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if request.data:
            self._recorder.pause(clock_ns(self))
        else:
            self._recorder.resume(clock_ns(self))
        response.success = True
        response.message = "paused" if request.data else "recording"
        self._publish_status()
        return response

    def _relabel(
        self, request: LabelEpisode.Request, response: LabelEpisode.Response
    ) -> LabelEpisode.Response:
        folder = self._folder.path
        response.id = request.id or self._last
        try:
            if request.operation == LabelEpisode.Request.KEEP:
                catalogue.keep(folder, response.id)
            elif request.operation == LabelEpisode.Request.DISCARD:
                catalogue.discard(folder, response.id)
                self._recorder.count_discarded()
            elif request.operation == LabelEpisode.Request.RELABEL:
                catalogue.relabel(
                    folder, response.id, object_name=request.object, outcome=request.outcome
                )
            else:
                response.message = (
                    f"expected operation 0 (keep), 1 (discard) or 2 (relabel), "
                    f"got {request.operation}"
                )
                return response
        except TiltbotError as error:
            response.message = str(error)
            return response
        response.success = True
        response.message = "done"
        return response

    # Health

    def _health(self) -> Health:
        now = clock_ns(self)
        status = self._recorder.status(now, self._folder.free_bytes())
        values: dict[str, float | int | str] = {
            "clean": status.clean,
            "flagged": status.flagged,
            "pending": status.pending,
            "ring [MB]": f"{status.ring_bytes / 1e6:.1f}",
            "disk free [GB]": f"{status.disk_free_bytes / 1e9:.1f}",
            **{f"dropped: {drop.cause} {drop.topic}".strip(): drop.count for drop in status.drops},
        }
        stalled = self._recorder.stalled(now)
        if stalled:
            return Health(level="error", message=f"stalled: {', '.join(stalled)}", values=values)
        if status.missing:
            missing = ", ".join(status.missing)
            return Health(level="warn", message=f"waiting for {missing}", values=values)
        return Health(level="ok", message="paused" if status.paused else "ready", values=values)

    def close(self) -> None:
        """Write what is finished, then let go of the folder."""
        self._recorder.finish(clock_ns(self))
        outcomes = self._writer.close()
        self._recorder.account(outcomes)
        self._announce(outcomes)
        self._folder.close()


def main() -> int:
    """Run the node."""
    return run(RecorderNode)
