"""The operator's command line."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime

import pytest
import requests

from creditcore import Credits
from creditcore.domain.alerts import Alert, Severity
from tests.stack import PATIENCE_S, Stack


def an_email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


@contextmanager
def model_server_down(stack: Stack) -> Iterator[None]:
    """Let the model server drop every connection until the end of the block."""
    control = f"{stack.sandbox.base_url}/control/litellm/down"
    requests.post(control, json={"down": True}, timeout=PATIENCE_S).raise_for_status()
    try:
        yield
    finally:
        requests.post(control, json={"down": False}, timeout=PATIENCE_S).raise_for_status()


def test_every_command_has_help(sqlite_stack: Stack) -> None:
    commands = (
        ["migrate"],
        ["worker"],
        ["audit"],
        ["alerts"],
        ["grant"],
        ["doctor"],
        ["user", "create"],
        ["key", "issue"],
    )
    with ThreadPoolExecutor(2) as terminals:
        helps = list(
            terminals.map(lambda command: sqlite_stack.flask(*command, "--help").stdout, commands)
        )

    assert all("Usage:" in help_ for help_ in helps)


def test_an_operator_makes_a_user_with_credits_and_a_key(stack: Stack) -> None:
    email = an_email()

    made = stack.flask("user", "create", "--email", email, "--admin").stdout
    granted = stack.flask(
        "grant", "--email", email, "--credits", "0.5", "--reason", "A gift"
    ).stdout
    key = stack.flask("key", "issue", "--email", email, "--name", "CI").stdout.strip()

    assert re.search(r"^password: \S{16,}$", made, re.MULTILINE)
    assert "has 200.5 available" in granted
    assert re.fullmatch(r"sk-cc-[0-9A-Za-z]{38}", key)
    assert stack.chat("Hi", key=key).status_code == 200


def test_a_grant_with_a_reference_is_given_once(sqlite_stack: Stack) -> None:
    account = sqlite_stack.an_account(credits_="0")
    grant = ["grant", "--email", account.email, "--credits", "7", "--reason", "R"]

    for _ in range(2):
        sqlite_stack.flask(*grant, "--reference", f"once-{account.person_id}")

    assert sqlite_stack.wallet_of(account.person_id).posted == Credits.of(7)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["user", "create", "--email", "not an address"], "not an e-mail address"),
        (["user", "create", "--email", "a@example.com", "--password", "short"], "10"),
        (["key", "issue", "--email", "nobody@example.com"], "no account"),
        (["grant", "--email", "nobody@example.com", "--credits", "1", "--reason", "R"], "no acc"),
        (["grant", "--email", "nobody@example.com", "--credits", "1e9", "--reason", "R"], "decim"),
        (["grant", "--credits", "1"], "Missing option"),
    ],
)
def test_a_mistake_is_explained_on_one_line_and_fails(
    sqlite_stack: Stack, arguments: list[str], says: str
) -> None:
    done = sqlite_stack.flask(*arguments, check=False)

    assert done.returncode != 0
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_a_grant_is_above_zero(sqlite_stack: Stack, amount: str) -> None:
    account = sqlite_stack.an_account(credits_="1")

    done = sqlite_stack.flask(
        "grant", "--email", account.email, f"--credits={amount}", "--reason", "R", check=False
    )

    assert done.returncode == 1
    assert "above zero" in done.stderr


def test_an_address_is_taken_once(sqlite_stack: Stack) -> None:
    email = an_email()
    sqlite_stack.flask("user", "create", "--email", email)

    done = sqlite_stack.flask("user", "create", "--email", email, check=False)

    assert done.returncode == 1
    assert "has an account already" in done.stderr


def test_the_doctor_finds_everything_in_order(stack: Stack) -> None:
    done = stack.flask("doctor")

    assert "FAIL" not in done.stdout
    assert all(name in done.stdout for name in ("schema", "price list", "LiteLLM", "Paystack"))


def test_the_doctor_says_what_does_not_answer(sqlite_stack: Stack) -> None:
    with model_server_down(sqlite_stack):
        done = sqlite_stack.flask("doctor", check=False)

    assert done.returncode == 1
    assert "FAIL  LiteLLM" in done.stdout


def test_migrating_again_changes_nothing(stack: Stack) -> None:
    assert "up to date" in stack.flask("migrate").stdout


def test_the_audit_reads_well_for_people(stack: Stack) -> None:
    done = stack.flask("audit")

    assert "The books are clean." in done.stdout
    assert all(f"I{number}" in done.stdout for number in range(1, 9))


def test_alerts_are_listed_newest_first_for_people_and_machines(stack: Stack) -> None:
    older, newer = (
        Alert(
            key=f"test:{uuid.uuid4()}",
            severity=Severity.CRITICAL,
            subject=f"Subject {number}",
            message=f"What happened the {number}.",
            at=datetime(2100, 1, number, tzinfo=UTC),
        )
        for number in (1, 2)
    )
    with stack.store.begin() as tx:
        tx.alerts.add(older)
        tx.alerts.add(newer)
        tx.commit()

    text = stack.flask("alerts").stdout
    [first, second] = json.loads(stack.flask("alerts", "--json", "--limit", "2").stdout)

    assert text.splitlines()[:2] == [
        "2100-01-02 00:00:00 UTC  critical  Subject 2",
        "    What happened the 2.",
    ]
    assert first == {**asdict(newer), "at": str(newer.at)}
    assert second["key"] == older.key


def test_prices_survive_a_model_server_that_is_down(stack: Stack) -> None:
    account = stack.an_account()

    with model_server_down(stack):
        stack.flask("worker", "--once")
        while_down = stack.chat("Hi", key=account.api_key)
    after = stack.chat("Hi", key=account.api_key)

    assert while_down.status_code == 502
    assert after.status_code == 200
    assert stack.settled_wallet_of(account.person_id).held == Credits(0)
