"""The process of the stand-ins starts and ends as it is told."""

from __future__ import annotations

import threading

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.integration.paystack_sandbox.client import Client
from tests.stack import PATIENCE_S, wait_until


def test_process_ends_cleanly_when_asked() -> None:
    sandbox = SandboxProcess.start()
    assert requests.get(f"{sandbox.base_url}/healthz", timeout=PATIENCE_S).json() == {
        "status": "ok"
    }

    assert sandbox.stop() == 0


def test_process_ends_even_while_a_call_hangs() -> None:
    sandbox = SandboxProcess.start()
    client = Client(sandbox)
    client.control("/paystack/faults", endpoint="verify", hang=True)
    with pytest.raises(requests.ReadTimeout):
        client.http.get(f"{client.base}/transaction/verify/x", timeout=(PATIENCE_S, 0.1))
    client.control("/paystack/faults", endpoint="list", hang=True)

    def wait_for_the_end() -> None:
        with pytest.raises(requests.ConnectionError):
            requests.get(
                f"{client.base}/transaction", headers=client.http.headers, timeout=PATIENCE_S
            )

    waiting = threading.Thread(target=wait_for_the_end)
    waiting.start()
    wait_until(lambda: client.recorded("/calls", endpoint="list"))

    assert sandbox.stop() == 0

    waiting.join(PATIENCE_S)
    client.http.close()


def test_secret_key_can_be_chosen() -> None:
    with SandboxProcess.start("--paystack-secret", "sk_test_other") as other:
        client = Client(other)
        assert client.initialize().status_code == 401
        client.http.headers["authorization"] = "Bearer sk_test_other"
        assert client.initialize().status_code == 200
        client.http.close()
