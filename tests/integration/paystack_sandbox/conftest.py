"""A stand-in that remembers nothing of the test before, and a merchant to tell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.process import SandboxProcess
from tests.integration.paystack_sandbox.client import Client, Merchant


@pytest.fixture
def paystack(sandbox: SandboxProcess) -> Iterator[Client]:
    client = Client(sandbox)
    assert client.control("/reset").status_code == 200
    yield client
    client.http.close()


@pytest.fixture
def merchant() -> Iterator[Merchant]:
    receiver = Merchant()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
