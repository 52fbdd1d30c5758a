"""Unmodified SDKs from npm and PyPI: what they are asked for arrives, and costs what it should."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterable

import pytest
from PIL import Image

from creditcore import Credits
from creditcore.domain.holds import Basis
from tests.clients.cases import (
    ANSWERED,
    CANCELLED,
    DOCUMENT,
    FAILED,
    PICTURE,
    REFUSED,
    TOKENS_OF_A_LONG_STREAM,
    Case,
)
from tests.clients.runs import Run, Runs
from tests.clients.sdks import SDKS, Sdk
from tests.stack import Stack, wait_until

BYTES_PER_COUNTED_TOKEN = 4
PNG = re.compile(r"iVBORw0KGgo[\w+/]+=*")


def of_all(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Run a test for each client and each of these cases that it has."""
    pairs = [(sdk, case) for sdk in SDKS for case in cases if case.name not in sdk.lacks]
    names = [f"{sdk.name}-{case.name}" for sdk, case in pairs]
    return pytest.mark.parametrize(("sdk", "case"), pairs, ids=names)


def calls_of(run: Run, case: Case) -> list:
    """Return the calls of a case once nothing is held any more, and see that they are paid."""
    account = run.accounts[case.name]
    wallet = run.stack.settled_wallet_of(account.person_id)
    calls = run.stack.calls_of(account)
    charged = sum(call.charged.microcredits for call in calls)
    assert Credits.parse(case.credits_) - wallet.posted == Credits(charged)
    return calls


@of_all(ANSWERED.values())
def test_what_is_asked_for_is_answered_and_charged(runs: Runs, sdk: Sdk, case: Case) -> None:
    run = runs.of(sdk)

    assert run.said(case.name) in case.answer

    calls = calls_of(run, case)
    assert {(call.outcome.status, call.outcome.error) for call in calls} == {(200, None)}
    assert all(call.charged.microcredits for call in calls)
    assert len(run.upstream(case.name)) == len(calls)


@of_all([ANSWERED["images"]])
def test_a_picture_reaches_the_model(runs: Runs, sdk: Sdk, case: Case) -> None:
    run = runs.of(sdk)
    run.said(case.name)

    [call] = run.upstream(case.name)

    # Some save it anew: the same pixels, in bytes of their own.
    [sent] = PNG.findall(json.dumps(call["body"]))
    assert pixels_of(base64.b64decode(sent)) == pixels_of(PICTURE)


@of_all([ANSWERED["documents"]])
def test_a_document_reaches_the_model(runs: Runs, sdk: Sdk, case: Case) -> None:
    run = runs.of(sdk)
    run.said(case.name)

    [call] = run.upstream(case.name)

    assert base64.b64encode(DOCUMENT).decode() in json.dumps(call["body"])


@of_all([CANCELLED])
def test_a_stream_that_is_given_up_costs_what_was_delivered(
    runs: Runs, sdk: Sdk, case: Case
) -> None:
    run = runs.of(sdk)
    read = run.said(case.name)

    [call] = calls_of(run, case)
    [upstream] = run.upstream(case.name)

    assert upstream["closed_by_client"]
    assert upstream["tokens_sent"] < TOKENS_OF_A_LONG_STREAM
    assert call.outcome.status == 499
    assert call.outcome.basis is Basis.COUNTED_OUTPUT
    # The client has not read all that was on its way to it.
    sent = " ".join(f"token {number}" for number in range(upstream["tokens_sent"]))
    assert counted(read) <= call.outcome.usage.completion_tokens <= counted(sent)


@of_all(REFUSED.values())
def test_what_cannot_be_paid_or_is_not_allowed_is_asked_for_once(
    runs: Runs, sdk: Sdk, case: Case
) -> None:
    run = runs.of(sdk)
    run.said(case.name)

    # They are written down a moment later.
    [refusal] = wait_until(lambda: run.refusals(case.name))

    assert refusal.status == {"out_of_credits": 402, "revoked": 401}[case.name]
    assert calls_of(run, case) == []
    assert run.upstream(case.name) == []


@of_all(FAILED.values())
def test_a_failure_is_repeated_by_the_client_alone_and_costs_nothing(
    runs: Runs, sdk: Sdk, case: Case
) -> None:
    run = runs.of(sdk)
    run.said(case.name)

    calls = calls_of(run, case)

    status = {"upstream_429": 429, "upstream_500": 502}[case.name]
    assert {call.outcome.status for call in calls} == {status}
    assert not any(call.charged.microcredits for call in calls)
    # Each call of the client is one call upstream.
    assert sorted(call["call_id"] for call in run.upstream(case.name)) == sorted(
        call.reference for call in calls
    )


def test_the_books_are_clean_after_all_this(stack: Stack) -> None:
    assert stack.audit().clean


def pixels_of(picture: bytes) -> bytes:
    return Image.open(io.BytesIO(picture)).convert("RGB").tobytes()


def counted(text: str) -> int:
    return -(-len(text) // BYTES_PER_COUNTED_TOKEN)
