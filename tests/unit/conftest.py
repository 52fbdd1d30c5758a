"""What unit tests share; how properties are tried, and the scene that calls are played in."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.relaying import Scene, a_scene

# As long as it takes: a busy machine is no fault.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def scene() -> Iterator[Scene]:
    with a_scene() as scene:
        yield scene
