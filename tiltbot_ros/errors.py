"""The error tree of tiltbot.

A message says what was expected, what came, and what to do.
"""


class TiltbotError(Exception):
    """Base of every error that tiltbot raises on purpose."""


class ConfigError(TiltbotError):
    """A rig, catalogue, parameter or name does not fit."""


class MissingDependencyError(TiltbotError):
    """A library or system package that this rig needs is not installed."""


class DeviceError(TiltbotError):
    """A device is absent, refuses its configuration, or has stopped."""


class LimitError(TiltbotError):
    """A command lies outside the limits of the arm."""


class CommandError(TiltbotError):
    """A command is refused: somebody else commands the arm, or the arm must be recovered."""


class AudioError(TiltbotError):
    """A sound file or stream is not what it should be."""


class EpisodeError(TiltbotError):
    """An episode or a bag cannot be read, or is not what it should be."""


class RecordingError(TiltbotError):
    """An episode cannot be written."""


class WorldError(TiltbotError):
    """A simulated world cannot be built or stepped."""


class FormatError(TiltbotError):
    """Data from elsewhere is not in the format that it is said to be in."""


class ModelError(TiltbotError):
    """A checkpoint or a model's input is not what it should be."""


class StoreError(TiltbotError):
    """A training store, or a split of one, is not what it should be or cannot be written."""


class ReportError(TiltbotError):
    """A report cannot be made or written."""
