"""Settings of the Franka driver."""

from typing import Annotated, Literal

from pydantic import Field

from tiltbot_ros.settings import Settings

_Positive = Annotated[float, Field(gt=0.0, le=1e4)]
_Place = Annotated[float, Field(ge=-1.0, le=1.0)]
_Inertia = Annotated[float, Field(ge=0.0, le=10.0)]


class FrankaSettings(Settings):
    """How a Franka arm is reached, how stiff it is, and when it stops."""

    host: str = Field(
        "172.16.0.2", min_length=1, description="address of the controller (its FCI, port 1337)"
    )
    realtime: Literal["enforce", "ignore"] = Field(
        "enforce",
        description="'enforce' refuses a computer without a real-time kernel; 'ignore' tries "
        "without, and the robot stops when too many packets are late",
    )
    connect_s: float = Field(
        5.0, gt=0.0, le=60.0, description="longest wait for an answer of the controller [s]"
    )
    state_timeout_s: float = Field(
        0.2, gt=0.0, le=5.0, description="oldest state that counts as one [s]"
    )
    watchdog_s: float = Field(
        0.15,
        ge=0.02,
        le=2.0,
        description="silence of the node, in the robot's time, after which the control loop holds "
        "the arm where it is [s]",
    )
    translational_stiffness_n_m: float = Field(
        600.0, gt=0.0, le=4000.0, description="stiffness of the tool's position [N/m]"
    )
    rotational_stiffness_nm_rad: float = Field(
        40.0, gt=0.0, le=300.0, description="stiffness of the tool's orientation [Nm/rad]"
    )
    error_clip_m: float = Field(
        0.05,
        gt=0.0,
        le=0.5,
        description="distance from the reference above which the arm pulls no harder, on each "
        "axis: times the stiffness it is the greatest force [m]",
    )
    error_clip_rad: float = Field(
        0.2, gt=0.0, le=1.5, description="the same of the orientation [rad]"
    )
    posture_stiffness_nm_rad: float = Field(
        10.0,
        ge=0.0,
        le=100.0,
        description="stiffness that brings the elbow back to where it was when the arm connected "
        "or recovered; 0: none [Nm/rad]",
    )
    joint_margin_rad: float = Field(
        0.05,
        ge=0.0,
        le=0.5,
        description="distance from the end of a joint's range at which it is pushed back, which "
        "begins 0.1 rad before [rad]",
    )
    joint_stiffness_nm_rad: list[_Positive] = Field(
        default=[600.0, 600.0, 600.0, 600.0, 250.0, 150.0, 50.0],
        min_length=7,
        max_length=7,
        description="stiffness of each joint when joints are streamed (those of libfranka's "
        "example joint_impedance_control) [Nm/rad]",
    )
    contact_torques_nm: list[_Positive] = Field(
        default=[20.0] * 7,
        min_length=7,
        max_length=7,
        description="external torque of each joint that counts as contact [Nm]",
    )
    collision_torques_nm: list[_Positive] = Field(
        default=[20.0] * 7,
        min_length=7,
        max_length=7,
        description="external torque of each joint at which the robot stops by reflex [Nm]",
    )
    contact_forces_n: list[_Positive] = Field(
        default=[20.0, 20.0, 20.0, 25.0, 25.0, 25.0],
        min_length=6,
        max_length=6,
        description="external force and torque x, y, z at the tool that count as contact [N, Nm]",
    )
    collision_forces_n: list[_Positive] = Field(
        default=[30.0, 30.0, 30.0, 30.0, 30.0, 30.0],
        min_length=6,
        max_length=6,
        description="external force and torque x, y, z at the tool at which the robot stops by "
        "reflex [N, Nm]",
    )
    load_kg: float = Field(
        0.0,
        ge=0.0,
        le=3.0,
        description="mass that is mounted beyond the hand set in Desk, such as microphones; 0: "
        "leave what is set [kg]",
    )
    load_centre_m: list[_Place] = Field(
        default=[0.0, 0.0, 0.0],
        min_length=3,
        max_length=3,
        description="its centre of mass in the flange's frame [m]",
    )
    load_inertia_kg_m2: list[_Inertia] = Field(
        default=[0.0, 0.0, 0.0],
        min_length=3,
        max_length=3,
        description="its moments of inertia about x, y, z [kg m2]",
    )
    gripper: bool = Field(default=True, description="the Franka Hand is mounted")
    gripper_home: bool = Field(
        default=False,
        description="home the hand when connecting: the fingers close and open; needed once after "
        "fingers were changed",
    )
    grasp_tolerance_m: float = Field(
        0.01,
        gt=0.0,
        le=0.08,
        description="how much thinner or thicker than told a held object may be [m]",
    )
