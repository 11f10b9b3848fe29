"""Records whole demonstrations: raw messages in, one bag a demonstration out."""

from functools import partial
from pathlib import Path

from rclpy.node import Node

from tiltbot.msg import DemonstrationStatus
from tiltbot.srv import EndDemonstration, StartDemonstration
from tiltbot_ros import topics
from tiltbot_ros.demonstrations.facts import DEMONSTRATIONS
from tiltbot_ros.demonstrations.recorder import DemonstrationRecorder, Fate, Finished, Lost
from tiltbot_ros.demonstrations.settings import (
    DemonstrationSessionSettings,
    DemonstrationSettings,
)
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.verdict_settings import VerdictSettings
from tiltbot_ros.episodes.writer import WriterSettings
from tiltbot_ros.errors import RecordingError
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, refuse_unknown
from tiltbot_ros.nodes.recorder_messages import drops_message, rate_message
from tiltbot_ros.nodes.recording import log_opening, record_streams
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.nodes.wiring import clock_ns, publisher, stamp

TICK_S = 0.1
STATUS_PERIOD_NS = 500_000_000

_FATES: dict[int, Fate] = {
    EndDemonstration.Request.KEEP: "keep",
    EndDemonstration.Request.DISCARD: "discard",
    EndDemonstration.Request.SUCCESS: "success",
    EndDemonstration.Request.FAILURE: "failure",
}


class DemonstrationNode(Node):
    """Subscribes raw, records between a start and an end, and tells what became of it."""

    def __init__(self, _fault: Fault) -> None:
        super().__init__("demonstrations")
        self._session = declare(self, DemonstrationSessionSettings, "demonstration_session")
        settings = declare(self, DemonstrationSettings, "demonstrations")
        writing = declare(self, WriterSettings, "writer")
        limits = declare(self, VerdictSettings, "verdict")
        refuse_unknown(self)
        streams = self._session.streams(settings, full_name=self.resolve_topic_name)
        self._folder = DataFolder(Path(self._session.directory), kind=DEMONSTRATIONS)
        self._recorder = DemonstrationRecorder(
            settings,
            self._session.facts(streams, limits=limits),
            self._folder,
            writing,
            rate_hz=self._session.steps_hz,
            label=self._session.label,
            clock=partial(clock_ns, self),
        )
        self._told_ns = 0
        self._shown: tuple[object, ...] = ()
        self._statuses = publisher(self, topics.DEMONSTRATIONS)
        self._streams = record_streams(self, streams, self._recorder)
        self.create_service(StartDemonstration, "demonstrations/start", self._start)
        self.create_service(EndDemonstration, "demonstrations/end", self._end)
        self._timer = self.create_timer(TICK_S, self._tick)
        self._diagnostics = Diagnostics(self, hardware=str(self._folder.path), health=self._health)
        log_opening(self, self._folder, "demonstrations")

    def _tick(self) -> None:
        now_ns = clock_ns(self)
        self._announce(self._recorder.tick(now_ns))
        recorder = self._recorder
        shown = (recorder.recording, recorder.busy, recorder.id, recorder.kept, recorder.problem)
        if shown != self._shown or now_ns - self._told_ns >= STATUS_PERIOD_NS:
            self._shown, self._told_ns = shown, now_ns
            self._statuses.publish(self._status(now_ns))

    def _announce(self, outcomes: list[Finished | Lost]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Lost):
                self.get_logger().error(outcome.reason)
                continue
            facts = outcome.facts
            label = "discarded" if outcome.discarded else facts.outcome or "kept"
            words = f"{facts.id} {label}: {facts.duration_s:.1f} s, {facts.steps} steps"
            if facts.verdict.clean:
                self.get_logger().info(f"{words}, clean")
            else:
                self.get_logger().warning(f"{words}, flagged: {'; '.join(facts.verdict.problems)}")

    def _status(self, now_ns: int) -> DemonstrationStatus:
        recorder = self._recorder
        missing = recorder.missing(now_ns)
        message = DemonstrationStatus(
            ready=not missing,
            missing=list(missing),
            recording=recorder.recording,
            id=recorder.id,
            duration_s=recorder.duration_s(now_ns),
            steps=recorder.steps,
            bytes=recorder.payload_bytes,
            kept=recorder.kept,
            discarded=recorder.discarded,
            disk_free_bytes=self._folder.free_bytes(),
            problem=recorder.problem,
            topics=[rate_message(rate) for rate in recorder.rates(now_ns)],
            drops=drops_message(recorder.losses()),
        )
        message.header.stamp = stamp(now_ns)
        return message

    def _start(
        self, request: StartDemonstration.Request, response: StartDemonstration.Response
    ) -> StartDemonstration.Response:
        try:
            response.message = self._recorder.start(
                request.task or self._session.task, clock_ns(self)
            )
        except RecordingError as error:
            response.message = str(error)
            return response
        response.success, response.id = True, self._recorder.id
        return response

    def _end(
        self, request: EndDemonstration.Request, response: EndDemonstration.Response
    ) -> EndDemonstration.Response:
        fate = _FATES.get(request.outcome)
        if fate is None:
            response.message = (
                f"expected outcome 0 (keep), 1 (discard), 2 (success) or 3 (failure), got "
                f"{request.outcome}"
            )
            return response
        try:
            response.id = self._recorder.end(fate, clock_ns(self))
        except RecordingError as error:
            response.message = str(error)
            return response
        response.success = True
        response.message = f"{response.id}: {fate}" if response.id else "it had not begun"
        return response

    def _health(self) -> Health:
        recorder = self._recorder
        values: dict[str, float | int | str] = {
            "kept": recorder.kept,
            "discarded": recorder.discarded,
            "disk free [GB]": f"{self._folder.free_bytes() / 1e9:.1f}",
            **{
                f"dropped: {drop.cause} {drop.topic}".strip(): drop.count
                for drop in recorder.losses()
            },
        }
        if recorder.problem:
            return Health(level="error", message=recorder.problem, values=values)
        missing = recorder.missing(clock_ns(self))
        if missing:
            return Health(level="warn", message=f"waiting for {', '.join(missing)}", values=values)
        words = f"recording {recorder.id}" if recorder.recording else "ready"
        return Health(level="ok", message=words, values=values)

    def close(self) -> None:
        """Write what is recorded, then let go of the folder."""
        self._timer.cancel()
        self._announce(self._recorder.finish(clock_ns(self)))
        self._folder.close()


def main() -> int:
    """Run the node."""
    return run(DemonstrationNode)
