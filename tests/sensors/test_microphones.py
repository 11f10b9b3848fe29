import math

import pytest
from pydantic import ValidationError

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.sensors.microphone_opening import open_microphones
from tiltbot_ros.sensors.microphones import MicrophoneSettings, describe


def test_what_is_unknown_is_nan_and_microphones_have_names():
    info = describe(MicrophoneSettings(source="file", channels=2), device="x")
    assert all(math.isnan(value) for value in (*info.gain_db, *info.calibration))
    assert info.channel_frames == ("mic_0", "mic_1")


def test_lists_have_a_value_for_every_channel():
    with pytest.raises(ValidationError, match="expected gain_db to be empty or to have 4 values"):
        MicrophoneSettings(gain_db=[1.0, 2.0])
    info = describe(MicrophoneSettings(gain_db=[1.0, 2.0, 3.0, 4.0]), device="x")
    assert info.gain_db == (1.0, 2.0, 3.0, 4.0)


def test_simulated_sound_is_not_opened_here():
    with pytest.raises(ConfigError, match="comes from its world node"):
        open_microphones(MicrophoneSettings(source="simulated"), clock=lambda: 0)
