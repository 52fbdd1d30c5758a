"""One gateway for all clients, and each SDK run once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.clients.runs import Runs
from tests.stack import Stack, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack("", tmp_path_factory.mktemp("clients")) as stack:
        yield stack


@pytest.fixture(scope="session", autouse=True)
def runs(
    request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    """The runs of those SDKs that some test is about; they go on while other tests run."""
    wanted = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    sdks = dict.fromkeys(params["sdk"] for params in wanted if "sdk" in params)
    with closing(Runs(stack, sdks, tmp_path_factory.mktemp("sdks"))) as runs:
        yield runs
