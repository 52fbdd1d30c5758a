"""A call whose bytes are not covered is counted, and runs if its count is."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from creditcore import Credits, HoldState, InsufficientCreditsError
from creditcore.domain.callers import WithoutKey
from creditcore.domain.decisions import Admission
from creditcore.domain.errors import LimitReachedError
from creditcore.domain.limits import KeyCounter, KeyLimits, SpendLimit
from creditcore.domain.money import ZERO
from creditcore.ports.inference import InferenceRequest
from creditcore.ports.prompt_counts import PromptCount, PromptText
from creditcore.usecases.calls.count_prompt import CountPrompt
from creditcore.usecases.calls.counting_turns import (
    BLOCK,
    MOST_AT_ONCE,
    MOST_COUNTED_BYTES,
    PAUSE,
    CountingTurns,
)
from creditcore.usecases.calls.planned_call import plan
from creditcore.usecases.calls.quote_call import CallQuote, QuoteCall
from tests.unit.relaying import END, PEPPER, SECRET, TEXT, USAGE, Scene, ScriptedCounts, TinyWire

SAID = "What a long story it is that he has to tell us here. " * 210
"""11,130 bytes; the wallet has 10,000 microcredits, one for each token."""

BESIDE = 500
"""Bytes of the request beside its text."""

OUTPUT = 10 * 50
COUNTED = 2_600
HELD = COUNTED * 3 // 2 + 64 + BESIDE + OUTPUT

LONG = {"model": "boundless", "said": SAID, "prompt_bound": len(SAID) + BESIDE}
BODY = json.dumps(LONG).encode()
BY_BYTES = Credits(len(SAID) + BESIDE + OUTPUT)


@pytest.fixture
def counts(scene: Scene) -> ScriptedCounts:
    scene.counts.answer = PromptCount(COUNTED, by_provider=False)
    return scene.counts


def limit_key(scene: Scene, **limits: object) -> None:
    with scene.store.begin() as tx:
        key = tx.keys.find_by_hash(SECRET.hash(PEPPER))
        key = replace(key, limits=KeyLimits(**limits))
        tx.keys.save(key)
        spend = key.limits.spend
        tx.keys.set_counter(
            KeyCounter(
                id=key.id,
                wallet_id=key.wallet_id,
                since=key.created_at,
                limit=spend.credits if spend else None,
            )
        )
        tx.commit()


def refused(scene: Scene, **fields: object) -> InsufficientCreditsError:
    """Return why a call does not run, of which nothing is held or sent."""
    with pytest.raises(InsufficientCreditsError) as caught:
        scene.open(**{**LONG, **fields})
    scene.commits.flush()
    assert not scene.store.committed.holds
    assert scene.upstream.sent == []
    return caught.value


def test_a_call_with_short_credits_is_counted_and_served(
    scene: Scene, counts: ScriptedCounts
) -> None:
    scene.script(TEXT, USAGE, END)

    call = scene.open(**LONG)

    held = scene.hold
    assert held.amount == Credits(HELD)
    assert held.call.prompt_bound == HELD - OUTPUT
    assert [text.messages for text in counts.asked] == [(("user", SAID),)]
    list(call)
    call.close()
    assert scene.hold.state is HoldState.SETTLED


def test_what_the_provider_has_counted_is_held_with_less_above_it(scene: Scene) -> None:
    scene.counts.answer = PromptCount(COUNTED, by_provider=True)
    scene.script(TEXT, USAGE, END)

    scene.open(**LONG).close()

    assert scene.hold.amount == Credits(COUNTED * 11 // 10 + 16 + BESIDE + OUTPUT)


def test_a_person_without_a_key_is_served_so_as_well(scene: Scene, counts: ScriptedCounts) -> None:
    scene.script(TEXT, USAGE, END)
    prepared = scene.relay.prepare(TinyWire(), BODY, call_id="call-1")

    call = scene.relay.open_without_key(
        TinyWire(), prepared, caller=WithoutKey(wallet_id="wallet-1")
    )

    call.close()
    assert scene.hold.amount == Credits(HELD)
    assert len(counts.asked) == 1


def test_one_that_is_short_of_its_count_as_well_is_told_by_how_much(scene: Scene) -> None:
    scene.counts.answer = PromptCount(7_000, by_provider=False)

    error = refused(scene)

    assert error.needed == Credits(7_000 * 3 // 2 + 64 + BESIDE + OUTPUT)
    assert error.available == Credits(10_000)
    # By which each account has its turn.
    assert error.wallet_id == "wallet-1"


def test_where_nobody_counts_it_is_refused_by_its_bytes(scene: Scene) -> None:
    error = refused(scene)

    assert len(scene.counts.asked) == 1
    assert (error.needed, error.available) == (BY_BYTES, Credits(10_000))


def test_where_counting_breaks_it_is_refused_by_its_bytes(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks() -> None:
        raise KeyError

    scene.counts.meanwhile = breaks

    assert refused(scene).needed == BY_BYTES
    assert "a text for boundless was not counted" in caplog.text


@pytest.mark.parametrize("tokens", [len(SAID), 10**12])
def test_a_count_never_holds_more_than_the_bytes(scene: Scene, tokens: int) -> None:
    scene.counts.answer = PromptCount(tokens, by_provider=True)

    assert refused(scene).needed == BY_BYTES


def test_one_whose_bytes_leave_no_room_for_an_answer_is_counted(
    scene: Scene, counts: ScriptedCounts
) -> None:
    # By its bytes alone it would be covered, with room for 50 tokens, of 16,384 that may come.
    wide = {**LONG, "said": SAID[:9_000], "prompt_bound": 9_500, "limit": None}
    scene.script(TEXT, USAGE, END, streamed=False)

    scene.open(**wide, stream=False).close()

    assert len(counts.asked) == 1
    base = HELD - OUTPUT
    assert json.loads(scene.upstream.sent[0])["bound"] == (10_000 - base) // 10
    assert scene.hold.call.prompt_bound == base


def test_where_nobody_counts_a_short_answer_is_better_than_none(scene: Scene) -> None:
    wide = {**LONG, "said": SAID[:9_000], "prompt_bound": 9_500, "limit": None}
    scene.script(TEXT, USAGE, END, streamed=False)

    scene.open(**wide, stream=False).close()

    assert len(scene.counts.asked) == 1
    assert json.loads(scene.upstream.sent[0])["bound"] == 50


def test_one_with_room_for_an_answer_is_not_counted(scene: Scene, counts: ScriptedCounts) -> None:
    wide = {"model": "lengthy", "said": SAID[:4_500], "prompt_bound": 4_880, "limit": None}
    scene.script(TEXT, USAGE, END, streamed=False)

    scene.open(**wide, stream=False).close()

    assert json.loads(scene.upstream.sent[0])["bound"] == 1_024
    assert counts.asked == []


def test_one_whose_own_limit_is_not_covered_beside_its_bytes_is_counted(scene: Scene) -> None:
    scene.counts.answer = PromptCount(1_000, by_provider=False)
    scene.script(TEXT, USAGE, END, streamed=False)
    own = {"model": "boundless", "said": SAID[:3_600], "prompt_bound": 4_000, "limit": 700}

    scene.open(**own, stream=False).close()

    assert scene.hold.amount == Credits(1_000 * 3 // 2 + 64 + 400 + 7_000)


def test_one_whose_answer_is_what_takes_the_credits_is_not_counted(
    scene: Scene, counts: ScriptedCounts
) -> None:
    wide = {"model": "boundless", "said": SAID[:4_000], "prompt_bound": 4_500, "limit": None}
    scene.script(TEXT, USAGE, END, streamed=False)

    scene.open(**wide, stream=False).close()

    assert json.loads(scene.upstream.sent[0])["bound"] == 550
    assert counts.asked == []


def test_a_call_that_is_covered_is_not_counted(scene: Scene, counts: ScriptedCounts) -> None:
    scene.script(TEXT, USAGE, END)

    scene.open(model="boundless", said=SAID[:8_000], prompt_bound=8_500).close()

    assert scene.hold.amount == Credits(8_500 + OUTPUT)
    assert counts.asked == []


def test_one_that_no_count_could_help_is_not_counted(scene: Scene, counts: ScriptedCounts) -> None:
    refused(scene, limit=1_000)
    refused(scene, prompt_bound=len(SAID) + 9_900)
    refused(scene, said="")

    assert counts.asked == []


def test_the_text_of_a_call_on_an_empty_wallet_is_not_even_looked_for(
    scene: Scene, counts: ScriptedCounts
) -> None:
    class Unread(TinyWire):
        def text_of(self, request: InferenceRequest) -> PromptText | None:
            raise AssertionError(request)

    def has_nothing(_: object) -> Admission:
        raise InsufficientCreditsError(needed=BY_BYTES, available=ZERO, wallet_id="wallet-1")

    planned = plan(TinyWire(), BODY, prices=scene.relay._prices, tariff=scene.relay._tariff)

    with pytest.raises(InsufficientCreditsError):
        CountPrompt(counts).admit(Unread(), planned, has_nothing)


def test_a_text_that_would_keep_the_model_server_busy_is_not_counted(
    scene: Scene, counts: ScriptedCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "Story " * (MOST_COUNTED_BYTES // 6 + 1)
    counter = "creditcore.usecases.calls.count_prompt.least_held"
    monkeypatch.setattr(counter, lambda _: 1)

    refused(scene, said=long, prompt_bound=len(long))

    assert counts.asked == []


@pytest.mark.parametrize("sign", ["x", "🙂", " ", "\n", " \u3000", "_!", "a\u0301"])
def test_a_word_without_end_is_not_counted(
    scene: Scene, counts: ScriptedCounts, sign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("creditcore.usecases.calls.count_prompt.least_held", lambda _: 1)
    long = f"Story {sign * 2 * BLOCK} story"

    refused(scene, said=long, prompt_bound=len(long))

    assert counts.asked == []


@pytest.mark.parametrize("sign", ["x", " ", "🙂"])
def test_a_long_word_is_counted(
    scene: Scene, counts: ScriptedCounts, sign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("creditcore.usecases.calls.count_prompt.least_held", lambda _: 1)
    long = f"Story {sign * (BLOCK - 1)} story " * 3

    refused(scene, said=long, prompt_bound=len(long))

    assert len(counts.asked) == 1


def test_what_a_key_may_spend_is_held_to_by_the_count(scene: Scene, counts: ScriptedCounts) -> None:
    limit_key(scene, spend=SpendLimit(credits=Credits(HELD)))
    scene.script(TEXT, USAGE, END)

    scene.open(**LONG).close()

    assert scene.hold.amount == Credits(HELD)
    assert len(counts.asked) == 1


def test_an_account_has_one_prompt_counted_at_a_time(scene: Scene, counts: ScriptedCounts) -> None:
    errors: list[InsufficientCreditsError] = []

    def again() -> None:
        with pytest.raises(InsufficientCreditsError) as caught:
            scene.open(call_id="call-2", **LONG)
        errors.append(caught.value)

    counts.meanwhile = again
    scene.script(TEXT, USAGE, END)

    scene.open(**LONG).close()

    assert [error.needed for error in errors] == [BY_BYTES]
    assert len(counts.asked) == 1
    scene.commits.flush()
    assert list(scene.store.committed.holds) == ["call-1"]


def test_an_account_that_keeps_it_counting_has_to_wait(scene: Scene) -> None:
    scene.counts.answer = PromptCount(7_000, by_provider=False)
    scene.counts.meanwhile = lambda: scene.clock.advance(timedelta(seconds=2))
    refused(scene)

    for _ in range(2):
        assert refused(scene, said=SAID[1:]).needed == BY_BYTES
        assert len(scene.counts.asked) == 1
        scene.clock.advance(timedelta(seconds=PAUSE) - timedelta(milliseconds=1))

    scene.clock.advance(timedelta(milliseconds=2))
    assert refused(scene, said=SAID[1:]).needed < BY_BYTES
    assert len(scene.counts.asked) == 2


def test_a_text_that_an_account_repeats_at_once_is_counted_once(scene: Scene) -> None:
    scene.counts.answer = PromptCount(7_000, by_provider=False)
    scene.counts.meanwhile = lambda: scene.clock.advance(timedelta(seconds=2))

    first, again = refused(scene), refused(scene)

    assert again.needed == first.needed < BY_BYTES
    assert len(scene.counts.asked) == 1


def test_an_account_waits_for_no_other(scene: Scene, counts: ScriptedCounts) -> None:
    counting = CountPrompt(counts, CountingTurns(clock=scene.clock))
    planned = plan(TinyWire(), BODY, prices=scene.relay._prices, tariff=scene.relay._tariff)
    counts.meanwhile = lambda: scene.clock.advance(timedelta(seconds=2))

    for at in range(50):
        refusal = InsufficientCreditsError(
            needed=BY_BYTES, available=Credits(10_000), wallet_id=f"wallet-{at}"
        )
        counting._counted(TinyWire(), planned, refusal)

    assert len(counts.asked) == 50
    # Those who need wait no longer are forgotten.
    assert len(counting.turns._last) == PAUSE


def test_a_process_has_so_many_counted_at_a_time(scene: Scene, counts: ScriptedCounts) -> None:
    counting = CountPrompt(counts)
    planned = plan(TinyWire(), BODY, prices=scene.relay._prices, tariff=scene.relay._tariff)
    wallets = itertools.count()

    def short_of_credits(_: object) -> None:
        raise InsufficientCreditsError(
            needed=Credits(20_000), available=Credits(10_000), wallet_id=f"wallet-{next(wallets)}"
        )

    def ask() -> None:
        with pytest.raises(InsufficientCreditsError):
            counting.admit(TinyWire(), planned, short_of_credits)

    counts.answer = None
    counts.meanwhile = ask
    ask()

    assert len(counts.asked) == MOST_AT_ONCE
    ask()
    assert len(counts.asked) == MOST_AT_ONCE * 2


def test_what_is_spent_while_it_is_counted_is_not_there_afterwards(
    scene: Scene, counts: ScriptedCounts
) -> None:
    scene.script(TEXT, USAGE, END)
    others = []
    counts.meanwhile = lambda: others.append(
        scene.relay._charge.authorize("wallet-1", ceiling=Credits(9_000), reference="other")
    )

    with pytest.raises(InsufficientCreditsError) as caught:
        scene.open(**LONG)

    assert caught.value.available == Credits(1_000)
    assert scene.store.committed.wallets["wallet-1"].held == Credits(9_000)
    scene.relay._charge.release(others[0].hold)
    assert scene.store.committed.wallets["wallet-1"].held == ZERO


def test_other_refusals_are_not_counted(scene: Scene, counts: ScriptedCounts) -> None:
    limit_key(scene, max_parallel=1)
    scene.script(TEXT, USAGE, END)
    first = scene.open()

    with pytest.raises(LimitReachedError):
        scene.open(call_id="call-2", **LONG)

    first.close()
    assert counts.asked == []


def quoted(scene: Scene, **fields: object) -> CallQuote:
    quotes = QuoteCall(
        transactions=scene.store,
        prices=scene.relay._prices,
        tariff=scene.relay._tariff,
        clock=scene.clock,
        counting=CountPrompt(scene.counts),
    )
    body = json.dumps({**LONG, **fields}).encode()
    return quotes.quote(TinyWire(), body, caller=WithoutKey(wallet_id="wallet-1"))


def test_a_quote_is_of_the_call_as_it_would_run(scene: Scene, counts: ScriptedCounts) -> None:
    quote = quoted(scene)

    assert quote.admission.hold.amount == quote.ceiling == Credits(HELD)
    assert quote.refusal is None
    assert len(counts.asked) == 1


def test_a_quote_of_a_call_that_its_count_refuses_is_by_its_count(scene: Scene) -> None:
    scene.counts.answer = PromptCount(7_000, by_provider=False)

    quote = quoted(scene)

    assert quote.admission is None
    assert quote.ceiling == quote.refusal.needed < BY_BYTES


def test_a_quote_has_the_room_for_an_answer_that_a_count_leaves(
    scene: Scene, counts: ScriptedCounts
) -> None:
    quote = quoted(scene, said=SAID[:9_000], prompt_bound=9_500, limit=None, stream=False)

    assert quote.admission.output_bound == (10_000 - (HELD - OUTPUT)) // 10
    assert len(counts.asked) == 1
