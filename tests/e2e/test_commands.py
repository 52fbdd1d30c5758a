"""The operator's command line."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest
import requests

from creditcore import Credits
from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.people import Role
from tests.stack import PATIENCE_S, REPOSITORY, Stack
from tests.visitors import PASSWORD, Visitor


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


def at_a_terminal(stack: Stack, *arguments: str, typed: list[str]) -> tuple[str, int]:
    """Run a command as a person does who answers its prompts; return screen and exit code."""
    ours, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        env=stack.environ,
        cwd=REPOSITORY,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    screen = ""
    with os.fdopen(ours, "r+b", buffering=0) as keyboard:
        for answer in typed:
            shown = ""
            while not shown.endswith(": "):
                shown += keyboard.read(1024).decode()
            keyboard.write(f"{answer}\n".encode())
            screen += shown
        with suppress(OSError):  # which is how a terminal ends
            while more := keyboard.read(1024):
                screen += more.decode()
    return screen, process.wait(PATIENCE_S)


def test_an_operator_makes_a_user_with_credits_and_a_key(stack: Stack) -> None:
    email = an_email()

    made = stack.flask("user", "create", "--email", email, "--admin").stdout
    granted = stack.flask(
        "grant", "--email", email, "--credits", "0.5", "--reason", "A gift"
    ).stdout
    key = stack.flask("key", "issue", "--email", email, "--name", "CI").stdout.strip()

    assert re.search(r"^password: \S{16,}$", made, re.MULTILINE)
    with stack.store.begin() as tx:
        person = tx.people.find_by_email(email)
    assert person is not None
    assert person.role is Role.ADMIN
    assert "has 200.5 available" in granted
    assert re.fullmatch(r"sk-cc-[0-9A-Za-z]{38}", key)
    assert stack.chat("Hi", key=key).status_code == 200


def test_a_key_is_issued_for_what_it_is_meant(stack: Stack) -> None:
    email = an_email()
    stack.flask("user", "create", "--email", email)
    issue = ("key", "issue", "--email", email)
    reader = stack.flask(*issue, "--scope", "account:read").stdout.strip()
    caller = stack.flask(*issue).stdout.strip()

    statuses = {
        key: requests.get(
            f"{stack.base_url}/api/v1/keys",
            headers={"authorization": f"Bearer {key}"},
            timeout=PATIENCE_S,
        ).status_code
        for key in (reader, caller)
    }

    assert statuses == {reader: 200, caller: 403}
    assert stack.flask(*issue, "--scope", "all", check=False).returncode != 0


def test_an_operator_limits_what_all_keys_of_an_account_use(sqlite_stack: Stack) -> None:
    account = sqlite_stack.an_account(credits_="200")
    whom = ("--email", account.email)

    told = sqlite_stack.flask("limits", "set", *whom, "spend=0.001/day").stdout
    refused = sqlite_stack.chat("Hi", key=account.api_key)
    shown = json.loads(sqlite_stack.flask("limits", "show", *whom, "--json").stdout)

    assert "(1 key) may use together: spend=0.001/day" in told
    assert refused.status_code == 402
    assert "left of the spend limit of this account" in refused.json()["error"]["message"]
    assert (shown["limits"], shown["spent"]) == ("spend=0.001/day", "0")


def test_a_grant_with_a_reference_is_given_once_and_says_so(stack: Stack) -> None:
    account = stack.an_account(credits_="1")
    grant = ["grant", "--email", account.email, "--credits", "7"]
    grant += ["--reference", f"once-{account.person_id}"]

    first = stack.flask(*grant, "--reason", "Sorry").stdout
    second = stack.flask(*grant, "--reason", "Again").stdout

    assert first == f"{account.email} got 7 credits and has 8 available.\n"
    assert second.startswith(
        f"Nothing was changed: with this reference {account.email} got 7 credits on 2"
    )
    assert second.endswith(", for 'Sorry', and has 8 available.\n")
    assert stack.wallet_of(account.person_id).posted == Credits.of(8)


def test_a_grant_without_a_reference_is_given_each_time(sqlite_stack: Stack) -> None:
    account = sqlite_stack.an_account(credits_="0")
    grant = ["grant", "--email", account.email, "--credits", "1", "--reason", "R"]

    first, second = (sqlite_stack.flask(*grant).stdout for _ in range(2))

    assert first == f"{account.email} got 1 credit and has 1 available.\n"
    assert second == f"{account.email} got 1 credit and has 2 available.\n"


def test_a_reference_of_another_grant_is_refused(sqlite_stack: Stack) -> None:
    account = sqlite_stack.an_account(credits_="0")
    grant = ["grant", "--email", account.email, "--reason", "R", "--reference", account.person_id]
    sqlite_stack.flask(*grant, "--credits", "1")

    done = sqlite_stack.flask(*grant, "--credits", "2", check=False)

    assert done.returncode == 1
    assert "already stands for a different request" in done.stderr
    assert sqlite_stack.wallet_of(account.person_id).posted == Credits.of(1)


def test_an_empty_password_is_none_rather_than_an_untold_one(
    sqlite_stack: Stack,
) -> None:
    done = sqlite_stack.flask(
        "user", "create", "--email", an_email(), "--password", "", check=False
    )

    assert done.returncode == 1
    assert "at least 10 characters" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["user", "create", "--email", "not an address"], "not an e-mail address"),
        (["user", "create", "--email", "a@example.com", "--password", "short"], "10"),
        (["user", "password", "--email", "nobody@example.com"], "no account"),
        (["user", "block", "--email", "nobody@example.com", "--reason", "R"], "no account"),
        (["user", "block", "--email", "nobody@example.com"], "Missing option"),
        (["user", "unblock", "--email", "nobody@example.com"], "no account"),
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


def test_an_operator_sets_a_forgotten_password(stack: Stack) -> None:
    with Visitor(stack) as member:
        member.sign_up()

        done = stack.flask(
            "user", "password", "--email", member.email.upper(), "--password", "a new long password"
        )

        assert "signed out everywhere" in done.stdout
        assert not member.is_signed_in
        assert member.sign_in(PASSWORD).status_code == 401
        assert member.sign_in("a new long password").status_code == 302
        assert member.is_signed_in


def test_a_new_password_is_asked_for_unseen_and_twice(member: Visitor) -> None:
    command = ["user", "password", "--email", member.email]

    screen, code = at_a_terminal(
        member.stack,
        *command,
        typed=["typed in secret", "typed in haste", "typed in secret", "typed in secret"],
    )
    answer = member.sign_in("typed in secret")

    assert code == 0
    assert "do not match" in screen
    assert "typed in" not in screen
    assert answer.status_code == 302


def test_a_new_password_keeps_the_rules(member: Visitor) -> None:
    done = member.stack.flask(
        "user", "password", "--email", member.email, "--password", "short", check=False
    )

    assert done.returncode == 1
    assert "at least 10 characters" in done.stderr
    assert member.is_signed_in


def test_a_blocked_person_is_shut_out_until_unblocked(stack: Stack) -> None:
    with Visitor(stack) as member:
        member.sign_up()
        whom = ["--email", member.email]
        key = stack.a_key(member.person.id)
        calls_before = stack.chat("Hi", key=key).status_code

        blocked = stack.flask("user", "block", *whom, "--reason", "Card fraud")
        refused = stack.chat("Hi", key=key)
        key_refused = stack.flask("key", "issue", *whom, check=False)
        out = not member.is_signed_in, member.sign_in().status_code
        unblocked = stack.flask("user", "unblock", *whom)
        new_key = stack.flask("key", "issue", *whom).stdout.strip()

        assert calls_before == 200
        assert "Keys revoked: 1." in blocked.stdout
        assert refused.status_code == 401
        assert "revoked" in refused.json()["error"]["message"]
        assert key_refused.returncode == 1
        assert "This account is blocked." in key_refused.stderr
        assert out == (True, 401)
        assert "may sign in again" in unblocked.stdout
        assert not member.is_signed_in
        assert member.sign_in().status_code == 302
        assert stack.chat("Hi", key=key).status_code == 401
        assert stack.chat("Hi", key=new_key).status_code == 200
        log = json.loads(stack.flask("activity", "--email", member.email, "--json").stdout)
        assert [entry["act"] for entry in log] == [
            "person.signed_in",
            "key.issued",
            "person.unblocked",
            "person.sign_in_failed",
            "person.blocked",
            "key.issued",
            "person.signed_in",
        ]
        assert log[4]["after"] == {"blocked": True, "reason": "Card fraud", "keys_revoked": 1}
        assert log[4]["actor"]["id"] == "command line"
        assert "person.blocked" in stack.flask("activity", "--limit", "1000").stdout


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
    assert {name: first[name] for name in ("key", "kind", "severity", "at", "open")} == {
        "key": newer.key,
        "kind": "test",
        "severity": "critical",
        "at": newer.at.isoformat(),
        "open": True,
    }
    assert second["key"] == older.key

    stack.flask("alerts", "ack", newer.key)
    [now_first] = json.loads(stack.flask("alerts", "--json", "--open", "--limit", "1").stdout)
    assert now_first["key"] == older.key
    assert stack.flask("alerts", "ack", "nothing", check=False).returncode == 1


def test_everything_it_depends_on_is_looked_at(stack: Stack) -> None:
    found = stack.flask("monitor", "--json", check=False)
    checks = json.loads(found.stdout)["checks"]

    assert {"database", "model server", "prices", "payments", "mail", "holds", "disk"} <= set(
        checks
    )
    assert checks["mail"] == {"healthy": True, "detail": "It lets us in.", "value": None}
    with model_server_down(stack):
        down = stack.flask("monitor", check=False)
    assert down.returncode == 1
    assert "FAIL  model server" in down.stdout


def test_prices_survive_a_model_server_that_is_down(stack: Stack) -> None:
    account = stack.an_account()

    with model_server_down(stack):
        stack.flask("worker", "--once")
        while_down = stack.chat("Hi", key=account.api_key)
    after = stack.chat("Hi", key=account.api_key)

    assert while_down.status_code == 502
    assert after.status_code == 200
    assert stack.settled_wallet_of(account.person_id).held == Credits(0)
