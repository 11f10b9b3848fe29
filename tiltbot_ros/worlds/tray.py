"""The simulated tray: tilts, an object that slides, and what four microphones hear."""

import math
from collections import deque

import mujoco
import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.errors import LimitError, WorldError
from tiltbot_ros.worlds.hinges import (
    angular_velocity,
    hinges_from_tilt,
    orientation,
    rotation_vector,
    tilt_from_hinges,
)
from tiltbot_ros.worlds.knocks import Knock, KnockFinder
from tiltbot_ros.worlds.noise import generator
from tiltbot_ros.worlds.objects import ObjectCatalogue, ObjectSpec
from tiltbot_ros.worlds.servo import ServoReference
from tiltbot_ros.worlds.sound import SoundSettings, SoundSynthesizer
from tiltbot_ros.worlds.stillness import CHECK_STEPS, Stillness
from tiltbot_ros.worlds.touches import PhysicsLog, feel, quaternion_matrix
from tiltbot_ros.worlds.tray_model import (
    SURFACES,
    TrayModel,
    TraySettings,
    build_tray,
    contact_friction,
)
from tiltbot_ros.worlds.tray_state import (
    Snapshot,
    TrayState,
    TrayTrack,
    TrueContact,
    WorldChunk,
)

STATE_RATE_HZ = 100
"""Rate of the states in a chunk, as the paper records them (section III) [Hz]."""

_PLACEMENT_STREAM = 100


class TrayWorld:
    """A two-hinge tray with one free object; physics and sound share one clock.

    Physics runs `latency_s` ahead of the sound, so a command takes effect that
    much later, as on a real arm. Everything is a function of the seed, the
    commands and their frames, and not of how the time is cut into chunks.
    """

    def __init__(
        self,
        settings: TraySettings | None = None,
        *,
        seed: int,
        sound: SoundSettings | None = None,
        catalogue: ObjectCatalogue | None = None,
    ) -> None:
        """Build the empty, level tray.

        Args:
            settings: physics.
            seed: of everything random: placement, contacts, noise.
            sound: levels and variation of the sound.
            catalogue: where `place` finds objects by name (default: the package's).

        Raises:
            ConfigError: `arm_model` cannot be read.
        """
        self.settings = settings or TraySettings()
        self.seed = seed
        self._catalogue = catalogue
        self._stride = self.settings.frames_per_step
        self._step_s = self.settings.exact_step_s
        self._ahead = max(3, math.ceil(self.settings.latency_s / self._step_s))
        self._synthesizer = SoundSynthesizer(
            sound or SoundSettings(),
            sample_rate=self.settings.sample_rate_hz,
            frames_per_step=self._stride,
            seed=seed,
        )
        self._frame = 0
        self._step = 0
        self._placement = 0
        self._servo = ServoReference(self.settings)
        self._commands: deque[tuple[int, tuple[float, float]]] = deque()
        self._pending: list[TrueContact] = []
        # The log of the steps since the last frame that was played, and a few before.
        self._logs: deque[PhysicsLog] = deque()
        self._install(build_tray(self.settings, None))

    @property
    def frame(self) -> int:
        """Running index of the next sound frame."""
        return self._frame

    @property
    def object(self) -> ObjectSpec | None:
        """The object in the tray."""
        return self._tray.spec

    @property
    def tray_model(self) -> TrayModel:
        """The compiled model; changes with every `place`."""
        return self._tray

    def place(self, spec: ObjectSpec | str | None) -> None:
        """Put an object at rest in the centre, in a random yaw; None empties the tray.

        The tray keeps its motion.

        Raises:
            ConfigError: the catalogue has no object of that name.
        """
        if isinstance(spec, str):
            if self._catalogue is None:
                self._catalogue = ObjectCatalogue.load()
            spec = self._catalogue.get(spec)
        hinges, rates = self._data.qpos[:2].copy(), self._data.qvel[:2].copy()
        self._placement += 1
        self._install(build_tray(self.settings, spec))
        self._data.qpos[:2], self._data.qvel[:2] = hinges, rates
        if spec is not None:
            self._rest(hinges, rates)
        mujoco.mj_forward(self._tray.model, self._data)
        self._synthesizer.place(spec, placement=self._placement)
        self._replace_logs()

    def _rest(self, hinges: NDArray[np.float64], rates: NDArray[np.float64]) -> None:
        turn = generator(self.seed, _PLACEMENT_STREAM, self._placement).uniform(0, 2 * math.pi)
        matrix = orientation(hinges)
        local = np.array([0.0, 0.0, self._tray.rest_height])
        place = matrix @ local
        tray, yaw, both = np.zeros(4), np.zeros(4), np.zeros(4)
        mujoco.mju_mat2Quat(tray, matrix.reshape(-1))
        mujoco.mju_axisAngle2Quat(yaw, np.array([0.0, 0.0, 1.0]), turn)
        mujoco.mju_mulQuat(both, tray, yaw)
        turning = angular_velocity(hinges, rates)
        self._data.qpos[2:5], self._data.qpos[5:9] = place, both
        self._data.qvel[2:5] = np.cross(turning, place)
        self._data.qvel[5:8] = quaternion_matrix(both).T @ turning

    def _install(self, tray: TrayModel) -> None:
        self._tray = tray
        self._data = mujoco.MjData(tray.model)
        self._stillness = Stillness()
        self._finder: KnockFinder | None = None
        mass = tray.spec.mass_kg if tray.spec is not None else 0.0
        self._weight_n = mass * self.settings.gravity_m_s2
        self._friction = contact_friction(self.settings, tray.spec)[0]
        if tray.spec is not None:
            self._finder = KnockFinder(
                step_s=self._step_s,
                longest_s=self.settings.latency_s - 2.5 * self._step_s,
                mass_kg=mass,
                weight_n=self._weight_n,
            )

    def _replace_logs(self) -> None:
        """Let the steps that were run ahead show the new object where it was placed."""
        if not self._logs:
            return
        count = sum(len(log.qpos) for log in self._logs)
        hinges = np.concatenate([log.qpos[:, :2] for log in self._logs])
        rates = np.concatenate([log.qvel[:, :2] for log in self._logs])
        qpos = np.tile(self._data.qpos, (count, 1))
        qvel = np.tile(self._data.qvel, (count, 1))
        qpos[:, :2], qvel[:, :2] = hinges, rates
        if self._tray.spec is not None:
            qpos[:, 2:5] = orientation(hinges)[:, :, 2] * self._tray.rest_height
        log = PhysicsLog(
            first_step=self._logs[0].first_step,
            qpos=qpos,
            qvel=qvel,
            sensors=np.zeros((count, self._tray.model.nsensordata)),
        )
        self._logs = deque([log])

    def command(self, rotation_xy: NDArray[np.float64], *, frame: int | None = None) -> None:
        """Set the target tilt from `frame` on (default: now), held until the next.

        Args:
            rotation_xy: (2,) rotation vector (rx, ry) in `tray_level` [rad]; the
                settled tray has the normal of exp((rx, ry, 0)).
            frame: sound frame, not before the present one nor an earlier command's.

        Raises:
            LimitError: not finite, or longer than 1.2 rad.
            WorldError: `frame` lies in the past.
        """
        vector = np.array(rotation_xy, dtype=np.float64)
        if vector.shape != (2,) or not np.isfinite(vector).all() or np.hypot(*vector) > 1.2:
            raise LimitError(
                "expected a finite rotation vector (rx, ry) no longer than 1.2 rad, "
                f"got {np.array2string(vector, precision=4)}"
            )
        when = self._frame if frame is None else frame
        last = self._commands[-1][0] if self._commands else 0
        if when < self._frame or self._horizon(when) < last:
            raise WorldError(
                f"expected a command at frame {self._frame} or later and in order, got {when}"
            )
        outer, inner = hinges_from_tilt(vector)
        self._commands.append((self._horizon(when), (float(outer), float(inner))))

    def _horizon(self, frame: int) -> int:
        """Return the first step that is not yet run when `frame` is the next to play."""
        return -(-frame // self._stride) + self._ahead if frame > 0 else 0

    def advance(self, frames: int) -> WorldChunk:
        """Let the world go on by that many sound frames.

        Raises:
            WorldError: the physics has become unstable.
        """
        if frames <= 0:
            raise WorldError(f"expected a positive number of frames, got {frames}")
        self._forget()
        first, end = self._frame, self._frame + frames
        self._synthesizer.reserve(end + (self._ahead + 2) * self._stride)
        log = self._simulate(self._horizon(end) - self._step)
        if len(log.qpos):
            self._logs.append(log)
            self._hear(log)
        samples = self._synthesizer.render(first, frames)
        due = sorted(
            (contact for contact in self._pending if contact.frame < end),
            key=lambda contact: contact.frame,
        )
        self._pending = [contact for contact in self._pending if contact.frame >= end]
        track = self._track(first, end)
        self._frame = end
        return WorldChunk(first_frame=first, samples=samples, contacts=tuple(due), track=track)

    def _simulate(self, count: int) -> PhysicsLog:
        model, data = self._tray.model, self._data
        qpos, qvel, sensors, ctrl = data.qpos, data.qvel, data.sensordata, data.ctrl
        log = PhysicsLog(
            first_step=self._step,
            qpos=np.empty((count, model.nq)),
            qvel=np.empty((count, model.nv)),
            sensors=np.empty((count, model.nsensordata)),
        )
        step, stillness = mujoco.mj_step, self._stillness
        for row in range(count):
            while self._commands and self._commands[0][0] <= self._step:
                self._servo.aim(self._commands.popleft()[1])
            aim = self._servo.next()
            log.qpos[row] = qpos
            log.qvel[row] = qvel
            if not stillness.hold(aim):
                ctrl[0], ctrl[1] = aim
                step(model, data)
                if self._step % CHECK_STEPS == 0:
                    stillness.look(qvel)
                    if stillness.still:
                        qvel[:] = 0.0
            log.sensors[row] = sensors
            self._step += 1
        if data.warning[mujoco.mjtWarning.mjWARN_BADQACC].number or not np.isfinite(qpos).all():
            name = self._tray.spec.name if self._tray.spec else "the empty tray"
            raise WorldError(
                f"the physics of {name} became unstable at {self._step * self._step_s:.3f} s: "
                "use a smaller step_s"
            )
        return log

    def _hear(self, log: PhysicsLog) -> None:
        felt = feel(log, friction=self._friction, weight_n=self._weight_n)
        self._synthesizer.push(felt.friction, felt.position, felt.rate)
        if felt.touches is None or self._finder is None:
            return
        for knock in self._finder.feed(felt.touches):
            self._pending.append(self._contact(knock))

    def _contact(self, knock: Knock) -> TrueContact:
        frame, level = self._synthesizer.strike(knock)
        return TrueContact(
            frame=frame,
            wall=SURFACES[knock.surface],
            impulse=knock.impulse,
            position=knock.position,
            speed=knock.speed,
            level=level,
        )

    def _forget(self) -> None:
        oldest = self._frame // self._stride - 1
        while len(self._logs) > 1 and self._logs[1].first_step <= oldest:
            self._logs.popleft()
        if self._logs and len(self._logs[0].qpos) > 4 * self._ahead:
            log = self._logs[0]
            cut = max(0, min(oldest - log.first_step, len(log.qpos) - 1))
            self._logs[0] = PhysicsLog(
                first_step=log.first_step + cut,
                qpos=log.qpos[cut:].copy(),
                qvel=log.qvel[cut:].copy(),
                sensors=log.sensors[cut:].copy(),
            )

    def _states(self, frames: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return qpos and qvel (N, ...) at these frames, moved on within their step."""
        steps = frames // self._stride
        rows = steps - self._logs[0].first_step
        qpos = np.concatenate([log.qpos for log in self._logs])[rows]
        qvel = np.concatenate([log.qvel for log in self._logs])[rows]
        rest = ((frames - steps * self._stride) / self.settings.sample_rate_hz)[:, None]
        qpos[:, :2] += rest * qvel[:, :2]
        if qpos.shape[1] > 2:
            qpos[:, 2:5] += rest * qvel[:, 2:5]
        return qpos, qvel

    def _track(self, first: int, end: int) -> TrayTrack:
        rate = self.settings.sample_rate_hz
        low = -(-first * STATE_RATE_HZ // rate)
        high = -(-end * STATE_RATE_HZ // rate)
        ticks = np.arange(low, high, dtype=np.int64)
        frames = -(-ticks * rate // STATE_RATE_HZ)
        frames = frames[(frames >= first) & (frames < end)]
        qpos, qvel = self._states(frames)
        hinges = qpos[:, :2]
        place = np.full((len(frames), 3), np.nan)
        if qpos.shape[1] > 2:
            back = np.swapaxes(orientation(hinges), 1, 2)
            place = (back * qpos[:, None, 2:5]).sum(axis=2)
        return TrayTrack(
            frame=frames,
            tilt=tilt_from_hinges(hinges),
            joint_position=hinges.copy(),
            joint_velocity=qvel[:, :2].copy(),
            object_position=place,
        )

    def snapshot(self, frame: int | None = None) -> Snapshot:
        """Return what a camera needs.

        Args:
            frame: of the last advance, or the next sound frame, which is the default.

        Raises:
            WorldError: the world knows nothing of that frame any more, or not yet.
        """
        if frame is None or frame == self._frame:
            return Snapshot(placement=self._placement, qpos=self._now()[0], frame=self._frame)
        if not self._logs or not self._logs[0].first_step * self._stride <= frame < self._frame:
            raise WorldError(
                f"expected a frame of the last advance, up to {self._frame}, got {frame}"
            )
        qpos, _ = self._states(np.array([frame], dtype=np.int64))
        return Snapshot(placement=self._placement, qpos=qpos[0], frame=frame)

    def _now(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if not self._logs:
            return self._data.qpos.copy(), self._data.qvel.copy()
        qpos, qvel = self._states(np.array([self._frame], dtype=np.int64))
        return qpos[0], qvel[0]

    @property
    def state(self) -> TrayState:
        """The state at the next sound frame."""
        qpos, qvel = self._now()
        hinges, rates = qpos[:2], qvel[:2]
        place: NDArray[np.float64] | None = None
        turn: NDArray[np.float64] | None = None
        if self._tray.spec is not None:
            back = orientation(hinges).T
            place = back @ qpos[2:5]
            turn = np.zeros(4)
            local = back @ quaternion_matrix(qpos[5:9])
            mujoco.mju_mat2Quat(turn, local.reshape(-1))
        return TrayState(
            time_s=self._frame / self.settings.sample_rate_hz,
            rotation=rotation_vector(hinges),
            tilt=tilt_from_hinges(hinges),
            angular_velocity=angular_velocity(hinges, rates),
            joint_position=hinges.copy(),
            joint_velocity=rates.copy(),
            object_position=place,
            object_quaternion=turn,
        )
