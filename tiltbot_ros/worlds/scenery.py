"""How the tray looks: light, ground, materials, and an arm as a backdrop."""

from pathlib import Path

import mujoco

from tiltbot_ros.errors import ConfigError


def _texture(
    world: mujoco.MjSpec,
    name: str,
    kind: mujoco.mjtBuiltin,
    colors: tuple[list[float], list[float]],
    size: int,
) -> None:
    world.add_texture(
        name=name,
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=kind,
        rgb1=colors[0],
        rgb2=colors[1],
        width=size,
        height=size,
        random=0.01,
        mark=int(mujoco.mjtMark.mjMARK_RANDOM),
        markrgb=[min(1.0, value * 1.12) for value in colors[0]],
    )


def add_material(
    world: mujoco.MjSpec, name: str, texture: str, repeat: float, shine: float
) -> None:
    """Add a material; `texture` is a name or empty, `shine` 0 .. 1."""
    material = world.add_material(name=name, shininess=shine, specular=0.35 * shine)
    if texture:
        slots = list(material.textures)
        slots[int(mujoco.mjtTextureRole.mjTEXROLE_RGB)] = texture
        material.textures = slots
        material.texrepeat = [repeat, repeat]
        material.texuniform = True


def add_scenery(world: mujoco.MjSpec) -> None:
    """Add light, sky, ground and materials."""
    visual = world.visual
    visual.headlight.ambient = [0.28, 0.28, 0.29]
    visual.headlight.diffuse = [0.12, 0.12, 0.12]
    visual.headlight.specular = [0.0, 0.0, 0.0]
    visual.quality.shadowsize = 2048
    visual.quality.offsamples = 4
    visual.global_.offwidth = 1920
    visual.global_.offheight = 1080
    visual.map.znear = 0.02
    visual.map.zfar = 20.0
    world.stat.extent = 1.0
    world.stat.center = [0.0, 0.0, 0.0]
    flat = mujoco.mjtBuiltin.mjBUILTIN_FLAT
    checker = mujoco.mjtBuiltin.mjBUILTIN_CHECKER
    _texture(world, "wood", flat, ([0.62, 0.47, 0.33], [0.55, 0.41, 0.28]), 256)
    _texture(world, "felt", flat, ([0.52, 0.54, 0.56], [0.5, 0.52, 0.54]), 256)
    _texture(world, "ground", checker, ([0.30, 0.33, 0.37], [0.27, 0.30, 0.34]), 256)
    world.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.75, 0.80, 0.86],
        rgb2=[0.35, 0.40, 0.47],
        width=128,
        height=768,
    )
    add_material(world, "wall", "wood", 6.0, 0.3)
    add_material(world, "floor", "felt", 4.0, 0.2)
    add_material(world, "ground", "ground", 2.0, 0.1)
    add_material(world, "metal", "", 1.0, 0.8)
    for position, strength, shadow in (
        ([0.5, -0.4, 1.6], 0.42, True),
        ([-0.7, 0.6, 1.3], 0.20, False),
    ):
        world.worldbody.add_light(
            pos=position,
            dir=[-value for value in position],
            type=mujoco.mjtLightType.mjLIGHT_SPOT,
            cutoff=50.0,
            exponent=2.0,
            diffuse=[strength] * 3,
            specular=[0.25] * 3,
            castshadow=shadow,
            attenuation=[1.0, 0.0, 0.0],
        )
    world.worldbody.add_geom(
        name="ground",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[3.0, 3.0, 0.1],
        pos=[0.0, 0.0, -0.45],
        material="ground",
        contype=0,
        conaffinity=0,
    )


def add_arm(world: mujoco.MjSpec, model: str) -> None:
    """Attach the arm of an MJCF file as a picture: no collisions, actuators or joints.

    Raises:
        ConfigError: `model` is not a readable MJCF file.
    """
    path = Path(model).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"expected an MJCF file at arm_model = {model!r}; there is none: "
            "give a path such as .../sawyer/robot.xml, or leave it empty"
        )
    try:
        arm = mujoco.MjSpec.from_file(str(path))
    except ValueError as error:
        raise ConfigError(f"arm_model {path} is not a readable MJCF file: {error}") from error
    for group in (arm.actuators, arm.sensors, arm.keys, arm.equalities):
        for element in list(group):
            arm.delete(element)
    for joint in list(arm.joints):
        arm.delete(joint)
    for geom in arm.geoms:
        geom.contype = 0
        geom.conaffinity = 0
    frame = world.worldbody.add_frame(pos=[-0.75, 0.0, -0.45])
    world.attach(arm, frame=frame, prefix="arm/")
