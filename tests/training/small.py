"""Recipes that train in a second."""

from policy_ros.training.recipe import load_recipe

CHANGES = (
    "schedule.batch=16",
    "schedule.epochs=3",
    "schedule.learning_rate=0.005",
    "network.audio_width=4",
    "network.image_width=4",
    "network.embedding=8",
    "network.hidden=16",
    "picture=32",
)


def recipe(name="tiltbot", *changes):
    return load_recipe(name, [*CHANGES, *changes])
