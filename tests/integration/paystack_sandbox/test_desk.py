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


def press(
    sandbox: SandboxProcess, action: str, reference: str = "", **of: str
) -> requests.Response:
    url = f"{sandbox.base_url}/control/paystack/"
    form = {"action": action, **(of or {"reference": reference})}
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


def named(page: requests.Response, reference: str, name: str) -> str:
    """Return what the last form of this kind is about, in a payment's part of the page."""
    part = page.text.partition(reference)[2].partition("</article>")[0]
    return part.rpartition(f"name='{name}' value='")[2].partition("'")[0]


def test_a_payment_goes_back_in_two_refunds(sandbox: SandboxProcess) -> None:
    ask(sandbox, "desk-refund")
    press(sandbox, "pay", "desk-refund")

    first = named(press(sandbox, "half", "desk-refund"), "desk-refund", "refund")
    press(sandbox, "processed", refund=first)
    last = press(sandbox, "rest", "desk-refund")
    second = named(last, "desk-refund", "refund")
    press(sandbox, "processed", refund=second)

    assert last.text.count("Refund of KES 325.00") == 2
    assert verified(sandbox, "desk-refund")[0] == "reversed"
    assert press(sandbox, "processed", refund=first).status_code == 409
    assert press(sandbox, "rest", "desk-refund").status_code == 409
    assert press(sandbox, "dance", refund=second).status_code == 400
    assert press(sandbox, "processed", refund="0").status_code == 404


@pytest.mark.parametrize(
    ("decision", "status"), [("declined", "success"), ("merchant-accepted", "reversed")]
)
def test_a_dispute_is_opened_reminded_of_and_decided(
    sandbox: SandboxProcess, decision: str, status: str
) -> None:
    reference = f"desk-{decision}"
    ask(sandbox, reference)
    press(sandbox, "pay", reference)

    dispute = named(press(sandbox, "dispute", reference), reference, "dispute")
    statuses = [
        press(sandbox, step, dispute=dispute).status_code for step in ("remind", decision, decision)
    ]

    assert statuses == [200, 200, 409]
    assert verified(sandbox, reference)[0] == status


def test_the_next_phone_alone_wants_what_was_chosen(sandbox: SandboxProcess) -> None:
    press(sandbox, "next-otp")

    wanted, usual = ask(sandbox, "desk-code"), ask(sandbox, "desk-usual")

    statuses = [answer.json()["data"]["status"] for answer in (wanted, usual)]
    assert statuses == ["send_otp", "pay_offline"]


def test_an_outage_lasts_until_it_is_repaired(sandbox: SandboxProcess) -> None:
    press(sandbox, "outage")
    down = ask(sandbox, "desk-down").status_code
    press(sandbox, "repair")

    assert (down, ask(sandbox, "desk-up").status_code) == (503, 200)


@pytest.mark.parametrize(("action", "status"), [("pay", 404), ("dance", 404), ("", 404)])
def test_what_makes_no_sense_is_refused(sandbox: SandboxProcess, action: str, status: int) -> None:
    assert press(sandbox, action, "desk-nobody").status_code == status
