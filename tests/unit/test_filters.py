"""What a person reads is exact, carries its unit, and never promises more than there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask, render_template_string

from adapters.flask_web.web import formatting as filters
from adapters.flask_web.web import times
from adapters.flask_web.web.buckets import bucket, line_amount
from adapters.flask_web.web.formatting import Tone
from creditcore.domain.holds import Basis, Call, Hold, HoldState, Outcome
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import Transfer, TransferKind
from creditcore.domain.money import Credits, ExchangeRate, Money
from creditcore.domain.pricing import ModelPrice, PricedTokens, Rates, Usage, price_units
from creditcore.domain.purchases import Offer, Purchase, PurchaseState
from creditcore.domain.units import Unit

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("microcredits", "text"),
    [
        (0, "$0.00"),
        (2_000_000_000, "$20.00"),
        (1_999_999, "$0.01"),
        (999_999, "$0.00"),
        (123_456_700_000_000, "$1,234,567.00"),
        (-1, "\u2212$0.01"),
        (-250_000_000, "\u2212$2.50"),
    ],
)
def test_balance_is_rounded_down_to_the_cent(microcredits: int, text: str) -> None:
    assert filters.dollars(Credits(microcredits)) == text


@pytest.mark.parametrize(
    ("microcredits", "text"),
    [
        (0, "$0.00"),
        (1, "$0.00000001"),
        (1_270, "$0.0000127"),
        (10_000_000, "$0.10"),
        (12_000_000, "$0.12"),
        (12_300_000, "$0.123"),
        (200_000_000_000, "$2,000.00"),
        (-1_270, "\u2212$0.0000127"),
    ],
)
def test_exact_dollars_keep_every_digit(microcredits: int, text: str) -> None:
    assert filters.exact_dollars(Credits(microcredits)) == text


@pytest.mark.parametrize(
    ("microcredits", "text"),
    [
        (2_000_000_000, "2,000 credits"),
        (1_000_000, "1 credit"),
        (-1_000_000, "\u22121 credit"),
        (12_300, "0.0123 credits"),
        (1_000_001, "1.000001 credits"),
        (0, "0 credits"),
    ],
)
def test_credits_carry_their_unit(microcredits: int, text: str) -> None:
    assert filters.credits_text(Credits(microcredits)).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(1_000, "USD"), "$10.00"),
        (Money(129_000, "KES"), "KES 1,290.00"),
        (Money(5, "KES"), "KES 0.05"),
        (Money(-1_050, "USD"), "\u2212$10.50"),
    ],
)
def test_money_names_its_currency(amount: Money, text: str) -> None:
    assert filters.money(amount).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("129.50", "1 USD = KES 129.50"),
        ("129", "1 USD = KES 129.00"),
        ("1290.125", "1 USD = KES 1,290.125"),
    ],
)
def test_rate_names_both_currencies(text: str, shown: str) -> None:
    exchange = ExchangeRate.parse(text, base="USD", quote="KES")

    assert filters.rate(exchange).replace("\u00a0", " ") == shown


@pytest.mark.parametrize(
    ("price", "each", "million"),
    [
        ("0.00000015", "$0.00000015", "$0.15"),
        ("0.000003", "$0.000003", "$3.00"),
        ("0.0123456789", "$0.0123456789", "$12,345.6789"),
        ("1e-30", f"$0.{'0' * 29}1", f"$0.{'0' * 23}1"),
        ("0", "$0.00", "$0.00"),
    ],
)
def test_a_price_of_a_provider_keeps_every_digit(price: str, each: str, million: str) -> None:
    units = price_units(price)

    assert filters.provider_dollars(units) == each
    line = PricedTokens("input", 2_000, units)
    assert line_amount(line).replace("\u00a0", " ") == f"2,000 tokens at {million} / 1M"


def test_a_reported_cost_keeps_every_digit() -> None:
    assert filters.reported_dollars("1234.000000000001") == "$1,234.000000000001"


def test_form_value_refuses_to_lose_cents() -> None:
    assert filters.whole_units(Money(1_000, "USD")) == "10"

    with pytest.raises(ValueError, match="not a whole amount"):
        filters.whole_units(Money(1_050, "USD"))


def test_tokens_are_grouped_by_thousands() -> None:
    assert filters.tokens(1_234_567) == "1,234,567"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 tokens"), (1, "1 token"), (2, "2 tokens"), (1_234, "1,234 tokens")]
)
def test_one_token_is_no_plural(count: int, text: str) -> None:
    assert filters.token_count(count).replace("\u00a0", " ") == text


def test_every_line_of_a_receipt_has_a_name() -> None:
    lines = ModelPrice(model="m", rates=_RATES).itemize(Usage())

    names = {bucket(line.bucket) for line in lines} | {bucket(unit) for unit in Unit}

    assert len(names) == 6 + len(Unit)


@pytest.mark.parametrize(
    ("unit", "count", "price", "text"),
    [
        (Unit.IMAGE, 1, "0.04", "1 image at $0.04 / image"),
        (Unit.CHARACTER, 39, "0.000015", "39 characters at $15.00 / 1M"),
        (Unit.MILLISECOND, 65_000, "0.0000001", "1 min 5 s at $0.006 / min"),
        (Unit.SEARCH, 2, "0.002", "2 searches at $2.00 / 1K"),
        (Unit.IMAGE_TOKEN, 4_160, "0.00004", "4,160 tokens at $40.00 / 1M"),
    ],
)
def test_units_are_counted_and_priced_as_people_read_them(
    unit: Unit, count: int, price: str, text: str
) -> None:
    line = PricedTokens(unit, count, price_units(price))

    assert line_amount(line).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (820, "820 ms"),
        (999, "999 ms"),
        (1_000, "1.0 s"),
        (2_499, "2.4 s"),
        (59_999, "59.9 s"),
        (65_000, "1 min 5 s"),
    ],
)
def test_duration_picks_a_unit_that_reads_well(milliseconds: int, text: str) -> None:
    assert filters.duration(milliseconds).replace("\u00a0", " ") == text


def test_instant_is_utc_and_machine_readable() -> None:
    nairobi = timezone(timedelta(hours=3))

    html = times.instant(datetime(2026, 11, 22, 17, 5, tzinfo=nairobi))

    assert html == ('<time datetime="2026-11-22T14:05:00Z">22 Nov 2026, 14:05 UTC</time>')


def test_day_leaves_the_hour_out() -> None:
    assert times.day(NOON) == ('<time datetime="2026-11-22T12:00:00Z">22 Nov 2026</time>')


def test_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        times.instant(NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("state", "outcome", "word", "tone"),
    [
        (HoldState.OPEN, Outcome(), "Running", Tone.BUSY),
        (HoldState.EXPIRED, Outcome(), "Expired", Tone.WARN),
        (HoldState.SETTLED, Outcome(basis=Basis.PROVIDER_USAGE, status=200), "Done", Tone.GOOD),
        (HoldState.SETTLED, Outcome(basis=Basis.COUNTED_OUTPUT, status=200), "Done", Tone.GOOD),
        (
            HoldState.SETTLED,
            Outcome(basis=Basis.COUNTED_OUTPUT, status=499),
            "Cancelled",
            Tone.WARN,
        ),
        (HoldState.RELEASED, Outcome(status=502, error="upstream_error"), "Failed", Tone.BAD),
        (HoldState.RELEASED, Outcome(status=503), "Failed", Tone.BAD),
        (HoldState.RELEASED, Outcome(), "Released", Tone.QUIET),
        # The credits ran out, or a count was not believed: the answer was good as far as it went.
        (
            HoldState.SETTLED,
            Outcome(basis=Basis.COUNTED_OUTPUT, status=200, error="credits_exhausted"),
            "Cut short",
            Tone.WARN,
        ),
        (
            HoldState.SETTLED,
            Outcome(basis=Basis.COUNTED_OUTPUT, status=200, error="incredible_usage"),
            "Done",
            Tone.GOOD,
        ),
        (HoldState.SETTLED, Outcome(status=502, error="incredible_usage"), "Failed", Tone.BAD),
    ],
)
def test_every_end_of_a_call_has_a_word(
    state: HoldState, outcome: Outcome, word: str, tone: Tone
) -> None:
    status = filters.call_status(replace(_A_HOLD, state=state, outcome=outcome))

    assert (status.word, status.tone) == (word, tone)


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("upstream_timeout", "The model took too long."),
        ("context_length_exceeded", "Context length exceeded."),
    ],
)
def test_failed_call_says_why_in_words(error: str, hint: str) -> None:
    outcome = Outcome(status=502, error=error)

    status = filters.call_status(replace(_A_HOLD, state=HoldState.RELEASED, outcome=outcome))

    assert status.hint == hint


@pytest.mark.parametrize("state", HoldState)
def test_every_state_of_a_hold_is_explained(state: HoldState) -> None:
    assert filters.hold_status(replace(_A_HOLD, state=state)).hint


@pytest.mark.parametrize("basis", Basis)
def test_every_basis_is_explained(basis: Basis) -> None:
    settled = replace(_A_HOLD, state=HoldState.SETTLED, outcome=Outcome(basis=basis))

    assert filters.call_basis(settled).hint


def test_the_basis_of_a_running_call_is_not_known() -> None:
    assert filters.call_basis(_A_HOLD).word == "Not known yet"


@pytest.mark.parametrize("state", PurchaseState)
def test_every_purchase_state_has_a_word(state: PurchaseState) -> None:
    assert filters.purchase_status(replace(_A_PURCHASE, state=state)).word


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "Active"),
        ({"expires_at": NOON + timedelta(seconds=1)}, "Active"),
        ({"expires_at": NOON}, "Expired"),
        ({"revoked_at": NOON, "expires_at": NOON}, "Revoked"),
    ],
)
def test_key_status_agrees_with_what_the_key_opens(changes: dict[str, datetime], word: str) -> None:
    key = ApiKey(
        id="k",
        wallet_id="w",
        owner_id="o",
        name="CI",
        prefix="sk-cc-AbCd",
        last_four="wxyz",
        key_hash=b"",
        created_at=NOON,
        expires_at=changes.get("expires_at"),
        revoked_at=changes.get("revoked_at"),
    )

    assert filters.key_status(key, NOON).word == word


@pytest.mark.parametrize("kind", TransferKind)
def test_every_kind_of_movement_has_a_name(kind: TransferKind) -> None:
    assert filters.movement(replace(_A_TRANSFER, kind=kind))


def test_a_debt_is_named_and_leaves_the_balance_as_it_is() -> None:
    owed = replace(_A_TRANSFER, from_account="receivable", to_account="refunds")
    settled = replace(_A_TRANSFER, from_account="refunds", to_account="receivable")
    paid = replace(
        _A_TRANSFER,
        from_account=_A_TRANSFER.wallet_id,
        to_account="receivable",
        kind=TransferKind.REPAYMENT,
    )

    assert filters.movement(owed) == "Owed after a refund"
    assert filters.movement(settled) == "No longer owed"
    assert filters.movement(paid) == "Debt paid off"
    assert filters.movement_amount(owed) == "($20.00)"
    assert filters.movement_amount(paid) == "\u2212$20.00"


def test_movement_is_signed_as_the_wallet_felt_it() -> None:
    back = replace(_A_TRANSFER, from_account="w", to_account="refunds")

    assert filters.movement_amount(_A_TRANSFER) == "+$20.00"
    assert filters.movement_amount(back) == "\u2212$20.00"


def test_registered_filters_reach_templates_unescaped() -> None:
    app = Flask(__name__)
    filters.register(app)

    with app.app_context():
        text = render_template_string(
            "{{ c|dollars }} {{ c|credits }} {{ at|day }}", c=Credits.of(5), at=NOON
        )

    assert text.replace("\u00a0", " ").startswith("$0.05 5 credits <time ")


_RATES = Rates(input=1, output=1, cache_read=1, cache_write=1, cache_write_1h=1, reasoning=1)
_A_HOLD = Hold(
    reference="call-1",
    wallet_id="w",
    amount=Credits.of(5),
    created_at=NOON,
    expires_at=NOON,
    call=Call(model="gpt-4o-mini"),
)
_A_TRANSFER = Transfer(
    wallet_id="w",
    from_account="sales",
    to_account="w",
    amount=Credits.of(2_000),
    kind=TransferKind.PURCHASE,
    reference="purchase:1:sales",
    at=NOON,
)
_A_PURCHASE = Purchase(
    reference="cc_1",
    owner_id="o",
    wallet_id="w",
    email="a@example.com",
    offer=Offer(
        value=Money(1_000, "USD"),
        price=Money(1_000, "USD"),
        rate=None,
        sold=Credits.of(1_000),
        bonus=Credits.of(1_000),
    ),
    created_at=NOON,
    expires_at=NOON,
)
