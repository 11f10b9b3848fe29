"""The bytes of the FCI protocol: little-endian, packed.

Facts from frankarobotics/libfranka-common, include/research_interface/{robot,gripper}.
"""

import struct

import numpy as np

ARM_PORT, HAND_PORT = 1337, 1338
ARM_VERSION, HAND_VERSION = 10, 3

ARM_HEADER = struct.Struct("<III")
"""Command, its number, size of the whole message."""

HAND_HEADER = struct.Struct("<HII")
"""The same of the hand."""

ARM_COMMANDS = (
    "connect",
    "move",
    "stop_move",
    "set_collision_behavior",
    "set_joint_impedance",
    "set_cartesian_impedance",
    "set_guiding_mode",
    "set_ee_to_k",
    "set_ne_to_ee",
    "set_load",
    "automatic_error_recovery",
    "get_robot_model",
)
HAND_COMMANDS = ("connect", "homing", "grasp", "move", "stop")

# Requests that are nothing but float64 numbers.
NUMBERS = {
    "set_collision_behavior": 4 * 7 + 4 * 6,
    "set_joint_impedance": 7,
    "set_cartesian_impedance": 6,
    "set_load": 1 + 3 + 9,
}

# Modes in a state
GENERATOR_IDLE, GENERATOR_NONE = 0, 5
CONTROLLER_OTHER, CONTROLLER_EXTERNAL = 3, 2
MODE_OTHER, MODE_IDLE, MODE_MOVE, MODE_GUIDING, MODE_REFLEX, MODE_USER_STOPPED = range(6)

# Modes in a Move request
MOVE_CONTROLLER_EXTERNAL, MOVE_GENERATOR_NONE = 2, 4

# Answers to Move
SUCCESS = 0
MOVE_STARTED, MOVE_PREEMPTED = 1, 2
MOVE_NOT_POSSIBLE, MOVE_INVALID = 5, 7
MOVE_REFLEX, MOVE_EMERGENCY, MOVE_INPUT_ERROR, MOVE_ABORTED = 8, 9, 10, 11

# Answers to the others
INCOMPATIBLE = 1
NOT_POSSIBLE = 1
RECOVERY_EMERGENCY = 5

# Answers of the hand
HAND_FAIL, HAND_UNSUCCESSFUL, HAND_ABORTED = 1, 2, 3

ERRORS = {
    "joint_velocity_violation": 3,
    "joint_reflex": 6,
    "cartesian_reflex": 7,
    "force_controller_desired_force_tolerance_violation": 23,
    "communication_constraints_violation": 25,
    "controller_torque_discontinuity": 32,
}
"""Places in the lists of errors of those that the emulator knows."""


def _floats(name: str, *shape: int) -> tuple[str, str, tuple[int, ...]]:
    return (name, "<f4", shape)


STATE = np.dtype(
    [
        ("message_id", "<u8"),
        _floats("O_T_EE", 16),
        _floats("O_T_EE_d", 16),
        _floats("F_T_EE", 16),
        _floats("EE_T_K", 16),
        _floats("F_T_NE", 16),
        _floats("NE_T_EE", 16),
        ("m_ee", "<f4"),
        _floats("I_ee", 9),
        _floats("F_x_Cee", 3),
        ("m_load", "<f4"),
        _floats("I_load", 9),
        _floats("F_x_Cload", 3),
        _floats("elbow", 2),
        _floats("elbow_d", 2),
        _floats("tau_J", 7),
        _floats("tau_J_d", 7),
        _floats("dtau_J", 7),
        _floats("q", 7),
        _floats("q_d", 7),
        _floats("dq", 7),
        _floats("dq_d", 7),
        _floats("ddq_d", 7),
        _floats("joint_contact", 7),
        _floats("cartesian_contact", 6),
        _floats("joint_collision", 7),
        _floats("cartesian_collision", 6),
        _floats("tau_ext_hat_filtered", 7),
        _floats("O_F_ext_hat_K", 6),
        _floats("K_F_ext_hat_K", 6),
        _floats("O_dP_EE_d", 6),
        _floats("O_ddP_O", 3),
        _floats("elbow_c", 2),
        _floats("delbow_c", 2),
        _floats("ddelbow_c", 2),
        _floats("O_T_EE_c", 16),
        _floats("O_dP_EE_c", 6),
        _floats("O_ddP_EE_c", 6),
        _floats("theta", 7),
        _floats("dtheta", 7),
        _floats("accelerometer_top", 18),
        _floats("accelerometer_bottom", 18),
        ("motion_generator_mode", "u1"),
        ("controller_mode", "u1"),
        ("errors", "u1", (41,)),
        ("reflex_reason", "u1", (41,)),
        ("robot_mode", "u1"),
        ("control_command_success_rate", "<f4"),
    ]
)
"""One datagram of the arm's state."""

COMMAND = np.dtype(
    [
        ("message_id", "<u8"),
        ("q_c", "<f8", (7,)),
        ("dq_c", "<f8", (7,)),
        ("O_T_EE_c", "<f8", (16,)),
        ("O_dP_EE_c", "<f8", (6,)),
        ("elbow_c", "<f8", (2,)),
        ("valid_elbow", "u1"),
        ("motion_generation_finished", "u1"),
        ("tau_J_d", "<f8", (7,)),
        ("torque_command_finished", "u1"),
    ]
)
"""One datagram of commands to the arm."""

HAND_STATE = struct.Struct("<Idd?H")
"""Number, width, greatest width, whether something is held, temperature."""

MOVE_REQUEST = struct.Struct("<II3d3d?7d")
"""Controller, generator, deviations of path and goal, asynchronous, velocities."""
