"""Fiscal stamps: what devices print is read with care, and entered once beside its document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from creditcore.domain.activity import COMMAND_LINE, Act, Activity
from creditcore.domain.documents import DocumentKind, Seller, parse_document_name
from creditcore.domain.errors import DocumentNotFoundError, InvalidRequestError
from creditcore.domain.fiscal_stamps import (
    CLOCK_SKEW,
    MAX_LENGTHS,
    FiscalStamp,
    StampedDocument,
    in_groups,
    parse_stamp_rules,
)
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts import NOON, at_once
from creditcore.testing.contracts.fiscal_stamps import a_document, issue
from creditcore.testing.memory import FixedClock
from creditcore.usecases.payments.stamp_documents import StampDocuments, Stamped

KENYAN = {
    "control_unit": "KRACU0100000001",
    "invoice_number": "152",
    "internal_data": "TE68SLA234J5EAV3N56988LJQ7",
    "signature": "V249J39CFJ48HE2W",
    "signed_at": "2026-06-01T15:00:30+03:00",
    "qr": "https://etims.kra.go.ke/common/link/etims/receipt/indexEtimsReceiptData?Data=P05100V249",
}
NIGERIAN = {
    "invoice_number": "R-000001-94ND90NR-20260601",
    "signature": "c3RhbXA+/w==",
    "signed_at": "2026-06-01T12:00:30Z",
    "qr": "q1w2+e3r4/t5==",
}


def entered(given: dict[str, str]) -> FiscalStamp:
    return FiscalStamp.entered(**given, now=NOON + timedelta(minutes=5))


def refused(given: dict[str, str]) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        entered(given)
    return caught.value


def test_a_kenyan_stamp_is_printed_as_its_device_prints_it() -> None:
    stamp = entered({name: f" {text}\n" for name, text in KENYAN.items()})

    assert stamp.signed_at == datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
    assert stamp.lines == [
        ("Control unit", "KRACU0100000001"),
        ("Control unit invoice number", "KRACU0100000001/152"),
        ("Internal data", "TE68-SLA2-34J5-EAV3-N569-88LJ-Q7"),
        ("Signature", "V249-J39C-FJ48-HE2W"),
    ]
    assert stamp.link == KENYAN["qr"]
    assert entered(KENYAN | {"invoice_number": "KRACU0100000001/152"}) == stamp


def test_a_nigerian_stamp_has_no_device_and_a_qr_code_of_text() -> None:
    stamp = entered(NIGERIAN)

    assert stamp.lines == [
        ("Tax invoice number", "R-000001-94ND90NR-20260601"),
        ("Signature", "c3RhbXA+/w=="),
    ]
    assert (stamp.qr, stamp.link) == ("q1w2+e3r4/t5==", "")


def test_one_proof_is_enough() -> None:
    assert entered(NIGERIAN | {"qr": ""}).qr == ""
    assert entered(NIGERIAN | {"signature": ""}).signature == ""
    assert refused(NIGERIAN | {"signature": "", "qr": ""}).param == "signature"


@pytest.mark.parametrize("name", MAX_LENGTHS)
def test_a_text_that_is_too_long_or_cannot_be_printed_is_refused(name: str) -> None:
    longest = "/" * MAX_LENGTHS[name]

    assert getattr(entered(KENYAN | {name: longest}), name) == longest
    for wrong in (longest + "/", "a\nb", "a\x00b", "a\u00e9", "\u0661"):
        assert refused(KENYAN | {name: wrong}).param == name


@pytest.mark.parametrize(
    "qr", ["http://", "https:/etims.kra.go.ke", "HTTPS://", "https://a b", "http://a:99999/x"]
)
def test_an_address_that_cannot_be_opened_is_refused(qr: str) -> None:
    assert refused(KENYAN | {"qr": qr}).param == "qr"


@pytest.mark.parametrize("qr", ["javascript:alert(1)", "data:text/html,x", "//etims.kra.go.ke"])
def test_other_text_in_a_qr_code_is_no_link(qr: str) -> None:
    assert entered(KENYAN | {"qr": qr}).link == ""


@pytest.mark.parametrize(
    ("signed_at", "why"),
    [
        ("", "no time"),
        ("20260601150030", "no time"),
        ("2026-06-01T12:00:30", "lacks its zone"),
        ("2026-06-01", "lacks its zone"),
        # The time in Nairobi, under the wrong zone.
        ("2026-06-01T15:00:30Z", "lies ahead"),
        ("9999-12-31T23:59:59-12:00", "no time of our age"),
    ],
)
def test_a_time_that_cannot_be_is_refused(signed_at: str, why: str) -> None:
    error = refused(KENYAN | {"signed_at": signed_at})

    assert why in str(error)
    assert error.param == "signed_at"


def test_a_device_may_be_a_little_ahead() -> None:
    last = NOON + timedelta(minutes=5) + CLOCK_SKEW

    assert entered(KENYAN | {"signed_at": last.isoformat()}).signed_at == last
    assert refused(KENYAN | {"signed_at": (last + timedelta(microseconds=1)).isoformat()})


def test_an_invoice_number_is_needed() -> None:
    assert refused(KENYAN | {"invoice_number": " "}).param == "invoice_number"


@pytest.mark.parametrize(
    ("code", "shown"), [("", ""), ("ABC", "ABC"), ("ABCDE", "ABCD-E"), ("AB-CDEFGH", "AB-CDEFGH")]
)
def test_codes_of_letters_and_digits_are_grouped(code: str, shown: str) -> None:
    assert in_groups(code) == shown


def test_rules_say_from_which_day_on() -> None:
    rules = parse_stamp_rules("KES=2026-12-01, USD=2027-01-01")

    assert rules == {
        "KES": datetime(2026, 12, 1, tzinfo=UTC),
        "USD": datetime(2027, 1, 1, tzinfo=UTC),
    }
    assert parse_stamp_rules("") == {}


@pytest.mark.parametrize(
    "text", ["KES", "KES=", "kes=2026-12-01", "KES=soon", "=2026-12-01", "KES=2026-13-01",
             "KES=2026-12-01,KES=2026-12-02", "KES=2026-12-01T10:00"]
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="one day for each currency"):
        parse_stamp_rules(text)


def test_a_document_is_found_by_what_is_printed_on_it() -> None:
    assert parse_document_name(" R-000042 ") == (DocumentKind.RECEIPT, 42)
    assert parse_document_name("C-7") == (DocumentKind.CREDIT_NOTE, 7)
    for wrong in ("", "R", "R-", "R-x", "X-1", "R-1-2", "R--1", "R-" + "9" * 19):
        with pytest.raises(InvalidRequestError, match="no number of a receipt"):
            parse_document_name(wrong)


@dataclass
class Desk:
    store: Transactions
    clock: FixedClock
    stamps: StampDocuments

    def enter(self, name: str = "R-000001", **changes: str) -> Stamped:
        return self.stamps.enter(name, KENYAN | changes, actor=COMMAND_LINE)

    def replace(self, name: str = "R-000001", *, reason: str = "typo", **changes: str) -> Stamped:
        return self.stamps.replace(name, KENYAN | changes, reason=reason, actor=COMMAND_LINE)

    def stamp_of(self, number: int = 1) -> FiscalStamp | None:
        [found] = self.stamps.beside([a_document(number)])
        return found.stamp

    def acts(self) -> list[Activity]:
        with self.store.begin() as tx:
            return list(tx.activity.recent(limit=50))[::-1]


@pytest.fixture
def desk(any_store: Transactions) -> Desk:
    """Two receipts, and a credit note of the second."""
    issue(any_store, a_document(1), a_document(2), a_document(2, kind=DocumentKind.CREDIT_NOTE))
    clock = FixedClock(NOON + timedelta(minutes=5))
    seller = Seller(name="Jua", stamped_since={"KES": NOON})
    return Desk(
        any_store, clock, StampDocuments(transactions=any_store, clock=clock, seller=seller)
    )


def test_a_stamp_is_entered_once_and_noted(desk: Desk) -> None:
    first = desk.enter()
    again = desk.enter()

    assert (first.is_new, again.is_new) == (True, False)
    assert desk.stamp_of() == first.stamp == entered(KENYAN)
    [act] = desk.acts()
    assert (act.actor, act.act, act.target) == (
        COMMAND_LINE, Act.DOCUMENT_STAMPED, "document:R-000001",
    )  # fmt: skip
    assert act.person_id == "owner-of-wallet-1"
    assert act.after == KENYAN | {
        "invoice_number": "KRACU0100000001/152",
        "signed_at": "2026-06-01T12:00:30+00:00",
    }


def test_another_stamp_is_refused_and_changes_nothing(desk: Desk) -> None:
    desk.enter()

    with pytest.raises(InvalidRequestError, match="has another stamp already"):
        desk.enter(signature="ANOTHER")

    assert desk.stamp_of() == entered(KENYAN)
    assert len(desk.acts()) == 1


def test_the_number_of_one_invoice_is_not_entered_for_two(desk: Desk) -> None:
    desk.enter()
    desk.enter("R-000002", invoice_number="153")

    for step in (desk.enter, desk.replace):
        with pytest.raises(InvalidRequestError, match="stands on another document") as caught:
            step("C-000002" if step == desk.enter else "R-000002", signature="OTHER")
        assert caught.value.param == "invoice_number"

    assert len(desk.acts()) == 2


def test_a_wrong_stamp_is_replaced_with_a_reason_and_stays_in_the_log(desk: Desk) -> None:
    desk.enter(signature="MISTYPED")

    right = desk.replace(reason=" mistyped ")
    again = desk.replace()

    assert (right.is_new, again.is_new) == (True, False)
    assert desk.stamp_of() == entered(KENYAN)
    _, act = desk.acts()
    assert act.act == Act.STAMP_REPLACED
    assert act.before["signature"] == "MISTYPED"
    assert (act.after["signature"], act.after["reason"]) == (KENYAN["signature"], "mistyped")


def test_replacing_takes_a_reason_and_something_to_replace(desk: Desk) -> None:
    with pytest.raises(InvalidRequestError, match="no stamp to replace"):
        desk.replace()
    desk.enter()
    with pytest.raises(InvalidRequestError, match="has a reason"):
        desk.replace(reason=" ", signature="OTHER")

    assert desk.stamp_of() == entered(KENYAN)


def test_a_document_that_there_is_not_has_no_stamp(desk: Desk) -> None:
    for step in (desk.enter, desk.replace):
        with pytest.raises(DocumentNotFoundError, match="no receipt or credit note 'R-000009'"):
            step("R-000009")


def test_many_who_enter_at_once_enter_one(desk: Desk) -> None:
    results: list[Any] = at_once(8, lambda number: desk.enter(signature=f"SIGNATURE{number % 2}"))

    done = [result for result in results if isinstance(result, Stamped)]
    assert [result.is_new for result in done].count(True) == 1
    assert {result.stamp for result in done} == {desk.stamp_of()}
    assert len(done) == 4
    assert len(desk.acts()) == 1


def test_what_needs_a_stamp_waits_for_it(desk: Desk) -> None:
    assert [row.name for row in desk.stamps.waiting()] == ["C-000002", "R-000001", "R-000002"]

    desk.enter("R-000002")

    assert [row.name for row in desk.stamps.waiting()] == ["C-000002", "R-000001"]
    first, second = desk.stamps.beside([a_document(1), a_document(2)])
    assert first == StampedDocument(document=a_document(1), awaits_stamp=True)
    assert (second.stamp, second.awaits_stamp) == (entered(KENYAN), False)


@pytest.mark.parametrize(
    "since", [{}, {"USD": NOON}, {"KES": NOON + timedelta(seconds=1)}], ids=str
)
def test_what_needs_none_waits_for_none_and_may_have_one(
    desk: Desk, since: dict[str, datetime]
) -> None:
    stamps = replace(desk.stamps, seller=Seller(name="Jua", stamped_since=since))

    [before] = stamps.beside([a_document(1)])
    stamps.enter("R-000001", KENYAN)
    [after] = stamps.beside([a_document(1)])

    assert (before.stamp, before.awaits_stamp) == (None, False)
    assert after.stamp == entered(KENYAN)
    assert "R-000001" not in [row.name for row in stamps.waiting()]


def test_more_than_a_page_waits(any_store: Transactions) -> None:
    documents = [a_document(number) for number in range(1, 502)]
    issue(any_store, *documents)
    seller = Seller(name="Jua", stamped_since={"KES": NOON})
    stamps = StampDocuments(transactions=any_store, clock=FixedClock(NOON), seller=seller)

    assert [row.number for row in stamps.waiting()] == list(range(1, 502))
