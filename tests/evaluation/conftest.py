"""The toy store of the trainings' tests."""

from tests.training.conftest import store  # noqa: F401 - a fixture
