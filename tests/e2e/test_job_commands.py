"""Jobs and mail by command, against a running product."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from creditcore import SystemClock
from creditcore.testing.memory_mail import MemoryMailer, PlainTemplates
from creditcore.usecases.jobs.send_mail import SendMail
from tests.stack import PATIENCE_S, Stack


def an_email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def test_a_test_mail_arrives_and_says_so(stack: Stack) -> None:
    email = an_email()

    done = stack.flask("mail", "test", "--to", email)

    assert "has taken a mail" in done.stdout
    assert [mail["from"] for mail in stack.mails(email)] == [stack.environ["MAIL_FROM"]]


def test_mail_is_sent_by_a_worker_and_dead_jobs_are_decided_by_command(
    postgres_stack: Stack,
) -> None:
    stack, email, gone = postgres_stack, an_email(), an_email()
    mails = SendMail(
        transactions=stack.store,
        templates=PlainTemplates(),
        mailer=MemoryMailer(),
        clock=SystemClock(),
    )
    with mailbox_faults(stack, refusals={gone: "550 5.1.1 no such user"}):
        for to in (email, gone):
            with stack.store.begin() as tx:
                assert mails.enqueue(tx, "test", to=to, event=to, values={"sent_at": "noon"})
                tx.commit()
        stack.flask("worker", "--once")

    listed = json.loads(
        stack.flask("jobs", "list", "--kind", "send_mail", "--limit", "1000", "--json").stdout
    )
    suppressed = json.loads(stack.flask("mail", "suppressed", "--json").stdout)
    released = stack.flask("mail", "release", "--email", gone).stdout

    assert len(stack.mails(email)) == 1
    states = {job["business_key"]: job["state"] for job in listed}
    assert [states[f"test:{to}"] for to in (email, gone)] == ["done", "done"]
    assert [each["refusal"] for each in suppressed if each["email"] == gone] == [
        "550 5.1.1 no such user"
    ]
    assert "again" in released


def test_jobs_are_listed_retried_and_discarded_by_command(stack: Stack) -> None:
    kind = f"of_a_later_version_{uuid.uuid4().hex}"
    with stack.store.begin() as tx:
        for key in ("1", "2"):
            tx.jobs.enqueue(kind, key, {"secret": "of a person"}, run_at=SystemClock().now())
            tx.jobs.save(tx.jobs.lock(kind, key).bury("It broke.", at=SystemClock().now()))
        tx.commit()

    text = stack.flask("jobs", "list", "--kind", kind).stdout
    retried = stack.flask("jobs", "retry", f"{kind}:1").stdout
    discarded = stack.flask("jobs", "discard", f"{kind}:2", "--json").stdout
    again = stack.flask("jobs", "retry", "--dead", kind, "--json").stdout
    unknown = stack.flask("jobs", "retry", "nonsense", check=False)
    listed = json.loads(stack.flask("jobs", "list", "--kind", kind, "--json").stdout)

    assert f"dead       {kind}:1" in text
    assert "It broke." in text
    assert "of a person" not in text
    assert "run again: 1" in retried
    assert json.loads(discarded) == {"discarded": 1}
    assert json.loads(again) == {"retried": 0}
    assert unknown.returncode == 1
    assert "kind:key" in unknown.stderr
    assert [(job["business_key"], job["state"]) for job in listed] == [
        ("1", "waiting"),
        ("2", "discarded"),
    ]
    acts = json.loads(stack.flask("activity", "--json", "--limit", "100").stdout)
    assert {act["act"] for act in acts if kind in act["target"]} == {"job.retried", "job.discarded"}


@contextmanager
def mailbox_faults(stack: Stack, **faults: object) -> Iterator[None]:
    """Let the mail server misbehave."""
    url = f"{stack.sandbox.base_url}/control/mailbox/faults"
    requests.post(url, json=faults, timeout=PATIENCE_S).raise_for_status()
    yield
    requests.post(url, json={}, timeout=PATIENCE_S).raise_for_status()
