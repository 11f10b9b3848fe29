"""How loud everything is, and how much one contact differs from the next."""

from pydantic import Field

from tiltbot_ros.settings import Settings


class SoundSettings(Settings):
    """Levels of the sound, and how much one contact differs from the next.

    What belongs to the rig (motors, microphones, plates) is drawn from
    `tray_seed`, so it is the same in every recording: no object can be told
    by what else was in the room.
    """

    sensitivity: float = Field(
        27.0, ge=0.0, le=1000.0, description="peak of an impact beside a microphone [1/(N s)]"
    )
    mass_exponent: float = Field(
        0.35,
        ge=0.0,
        le=1.0,
        description="light objects sound (0.1 kg / mass)^this stronger per impulse: their pulses "
        "are shorter, and a contact microphone hears acceleration",
    )
    ambient_dbfs: float = Field(
        -60.0, ge=-140.0, le=0.0, description="noise floor of every channel, RMS [dBFS]"
    )
    motor_dbfs: float = Field(
        -50.0, ge=-140.0, le=0.0, description="servo noise at 1 rad/s, RMS [dBFS]"
    )
    friction_level: float = Field(
        0.02, ge=0.0, le=10.0, description="RMS of friction noise per mu N v^0.8 [1/(N (m/s)^0.8)]"
    )
    friction_patch_db: float = Field(
        1.5,
        ge=0.0,
        le=20.0,
        description="how much friction noise differs from place to place on the tray [dB]",
    )
    friction_contact_db: float = Field(
        5.0,
        ge=0.0,
        le=20.0,
        description="slow wander of friction noise, as what touches changes [dB]",
    )
    contact_gain_jitter: float = Field(
        0.5, ge=0.0, le=2.0, description="deviation of the log gain of one contact"
    )
    coupling_jitter: float = Field(
        0.6,
        ge=0.0,
        le=3.0,
        description="deviation of the log share of object, wall and floor in one contact: an "
        "object that touches at a node of its own hardly rings the tray, and the reverse",
    )
    pulse_jitter: float = Field(
        0.5,
        ge=0.0,
        le=2.0,
        description="deviation of the log length of a contact's pulse: faces, edges and corners "
        "differ in radius, and Hertz's pulse goes as radius^-1/5",
    )
    mode_gain_jitter: float = Field(
        0.6, ge=0.0, le=3.0, description="deviation of the log gain of one mode in one contact"
    )
    path_spread_db: float = Field(
        5.6,
        ge=0.0,
        le=20.0,
        description="deviation of a mode's level between microphones and between contacts: the "
        "tray's plates reverberate; 5.6 in a diffuse field [dB]",
    )
    mode_frequency_jitter: float = Field(
        0.03, ge=0.0, le=0.5, description="relative deviation of a mode's frequency by contact"
    )
    contact_damping: float = Field(
        60.0,
        ge=0.0,
        le=1000.0,
        description="median decay rate that resting on the tray adds to the object's modes [1/s]",
    )
    damping_jitter: float = Field(
        0.7, ge=0.0, le=2.0, description="deviation of the log of that rate, by contact and mode"
    )
    placement_frequency_jitter: float = Field(
        0.004, ge=0.0, le=0.5, description="the same, drawn once each time an object is placed"
    )
    placement_gain_jitter: float = Field(
        0.10, ge=0.0, le=3.0, description="log gain deviation of object modes, once a placement"
    )
    temperature_drift: float = Field(
        0.002, ge=0.0, le=0.2, description="slow relative drift of all frequencies, over minutes"
    )
    microphone_spread_db: float = Field(
        1.0, ge=0.0, le=20.0, description="deviation between the gains of the microphones [dB]"
    )
    microphone_drift_db: float = Field(
        1.0, ge=0.0, le=20.0, description="slow drift of a microphone's gain, over minutes [dB]"
    )
    object_coupling: float = Field(
        0.4,
        ge=0.0,
        le=1.0,
        description="part of the object's own ringing that reaches the tray's plates, through the "
        "few spots on which it rests",
    )
    floor_coupling: float = Field(
        0.3, ge=0.0, le=1.0, description="share of a wall's impact that rings the floor"
    )
    wave_speed_m_s: float = Field(
        900.0, ge=50.0, le=10_000.0, description="of sound in the tray's plates [m/s]"
    )
    longest_ring_s: float = Field(
        0.6, ge=0.05, le=5.0, description="an impact's sound is cut after this time [s]"
    )
    tray_seed: int = Field(1, ge=0, description="which specimen of the rig this is")
