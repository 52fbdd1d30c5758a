"""The control desk does what its buttons say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.stack import PATIENCE_S

KEY = {"authorization": "Bearer sk_test_sandbox"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess.start() as sandbox:
        yield sandbox


def ask(sandbox: SandboxProcess, reference: str, phone: str = "+254722000111") -> requests.Response:
    order = {
        "email": "ada@example.com",
        "amount": 65_000,
        "currency": "KES",
        "reference": reference,
        "mobile_money": {"phone": phone, "provider": "mpesa"},
    }
    url = f"{sandbox.paystack_url}/charge"
    return requests.post(url, json=order, headers=KEY, timeout=PATIENCE_S)


def press(sandbox: SandboxProcess, action: str, reference: str = "") -> requests.Response:
    url = f"{sandbox.base_url}/control/paystack/"
    form = {"action": action, "reference": reference}
    return requests.post(url, data=form, timeout=PATIENCE_S)


def verified(sandbox: SandboxProcess, reference: str) -> tuple[str, str | None]:
    url = f"{sandbox.paystack_url}/transaction/verify/{reference}"
    data = requests.get(url, headers=KEY, timeout=PATIENCE_S).json()["data"]
    return data["status"], data["message"]


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("pay", ("success", None)),
        ("silent", ("success", None)),
        ("cancel", ("failed", "Request cancelled by user")),
        ("pin", ("failed", "The initiator information is invalid.")),
        ("poor", ("failed", "The balance is insufficient for the transaction.")),
        ("timeout", ("failed", "DS timeout user cannot be reached")),
        ("decline", ("failed", "Declined")),
    ],
)
def test_a_button_decides_a_payment(
    sandbox: SandboxProcess, action: str, outcome: tuple[str, str | None]
) -> None:
    ask(sandbox, f"desk-{action}")
    before = verified(sandbox, f"desk-{action}")

    page = press(sandbox, action, f"desk-{action}")

    assert before == ("abandoned", None)
    assert page.status_code == 200
    assert f"desk-{action}" in page.text
    assert verified(sandbox, f"desk-{action}") == outcome
    assert press(sandbox, action, f"desk-{action}").status_code == 409


def test_an_outage_lasts_until_it_is_repaired(sandbox: SandboxProcess) -> None:
    press(sandbox, "outage")
    down = ask(sandbox, "desk-down").status_code
    press(sandbox, "repair")

    assert (down, ask(sandbox, "desk-up").status_code) == (503, 200)


@pytest.mark.parametrize(("action", "status"), [("pay", 404), ("dance", 404), ("", 404)])
def test_what_makes_no_sense_is_refused(sandbox: SandboxProcess, action: str, status: int) -> None:
    assert press(sandbox, action, "desk-nobody").status_code == status
