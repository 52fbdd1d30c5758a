"""Paystack's lists of transactions, disputes and payouts, streamed page by page.

Source: https://paystack.com/docs/api/transaction/#list, /settlement/#list and
/settlement/#transactions. A list comes with cursors or with page numbers, also where the other was
asked for, so both are followed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from urllib.parse import urlencode

from adapters.paystack import payloads
from adapters.paystack.gateway import PaystackGateway, PaystackUnreachableError
from creditcore.domain.errors import PaymentGatewayUnavailableError
from creditcore.ports.payment_list import ListedPayment, Settlement

ROWS_PER_PAGE = 100
MAX_PAGES = 100_000
"""Ten million payments: a list that goes on beyond it goes round in a circle."""

_NONE = {"settlement": {404}, "dispute": {400, 404}}
"""What lists answer where there is nothing of their kind."""

_COUNT = re.compile(r"[0-9]{1,9}")

_BEFORE_ALL = datetime(2015, 1, 1, tzinfo=UTC)
"""Before Paystack was."""

_PAUSES_S = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Paystack counts requests per minute; reading again does no harm."""


class PaystackPaymentList:
    """Streams transactions and settlements, a page in memory at a time."""

    def __init__(
        self, gateway: PaystackGateway, *, wait: Callable[[float], object] = time.sleep
    ) -> None:
        """Use the connection of a gateway; ``wait`` pauses for some seconds."""
        self._gateway = gateway
        self._wait = wait

    def payments(self, *, since: datetime, until: datetime) -> Iterator[ListedPayment]:
        """Return every transaction that began in a period."""
        query = {"use_cursor": "true", **_period(since, until)}
        for row in self._rows("/transaction", query):
            yield _listed(row, otherwise=since)

    def payments_of(self, settlement_id: str) -> Iterator[ListedPayment]:
        """Return the payments that a payout holds. One without a date is of no period."""
        if settlement_id.isdecimal():
            for row in self._rows(f"/settlement/{settlement_id}/transactions", {}):
                yield _listed(row, otherwise=_BEFORE_ALL)

    def disputed(self, *, since: datetime, until: datetime) -> Iterator[str]:
        """Return the references of payments that are disputed; a row without one is left out."""
        for row in self._rows("/dispute", _period(since, until)):
            transaction = payloads.mapping(row.get("transaction"))
            reference = payloads.text(transaction.get("reference"))
            if payloads.is_reference(reference):
                yield reference

    def settlements(self, *, since: datetime, until: datetime) -> Iterator[Settlement]:
        """Return the payouts of a period. What has no date or no amount is left out."""
        for row in self._rows("/settlement", _period(since, until)):
            at = _instant(row.get("settlement_date"))
            currency = row.get("currency")
            gross = payloads.money(row.get("total_processed"), currency)
            net = payloads.money(row.get("total_amount"), currency)
            if at is not None and gross is not None and net is not None:
                status = payloads.text(row.get("status"))
                number = payloads.identifier(row.get("id"))
                yield Settlement(id=number, day=_day(at), status=status, gross=gross, net=net)

    def _rows(self, path: str, query: Mapping[str, str]) -> Iterator[Mapping[str, object]]:
        where: dict[str, str] = {}
        for page in range(1, MAX_PAGES + 1):
            asked = {**query, "perPage": str(ROWS_PER_PAGE), **where}
            answer = self._ask(path, asked, has_begun=page > 1)
            if answer.http_status in _NONE.get(path.split("/")[1], ()):
                return
            rows = payloads.read_rows(answer)
            yield from rows
            meta = payloads.mapping(answer.envelope.get("meta"))
            cursor = meta.get("next")
            if isinstance(cursor, str) and cursor and rows:
                where = {"next": cursor}
            elif rows and _goes_on(page, meta, len(rows)):
                where = {"page": str(page + 1)}
            else:
                return
        raise PaymentGatewayUnavailableError("Paystack's list has no end.")

    def _ask(self, path: str, query: Mapping[str, str], *, has_begun: bool) -> payloads.Answer:
        target = f"{path}?{urlencode(query)}"
        for pause_s in _PAUSES_S:
            try:
                return self._gateway.ask("GET", target)
            except payloads.PaystackRefusedError:
                raise
            except PaystackUnreachableError:
                # Nothing is lost yet, and who asks comes again: chores of a worker wait behind it.
                if not has_begun:
                    raise
                self._wait(pause_s)
            except PaymentGatewayUnavailableError:
                self._wait(pause_s)
        return self._gateway.ask("GET", target)


def _listed(row: Mapping[str, object], *, otherwise: datetime) -> ListedPayment:
    return ListedPayment(
        reference=payloads.text(row.get("reference")),
        payment=payloads.payment_of(row),
        created_at=_instant(row.get("created_at") or row.get("createdAt")) or otherwise,
        fees=payloads.money(row.get("fees"), row.get("currency")),
    )


def _goes_on(page: int, meta: Mapping[str, object], rows: int) -> bool:
    """Whether a list without a cursor has a page after this one."""
    count = _count(meta.get("pageCount"))
    if count is not None:
        return page < count
    if "next" in meta:
        # A list by cursors is at its end.
        return False
    # A page may hold less than was asked for, and says so.
    return rows >= (_count(meta.get("perPage")) or ROWS_PER_PAGE)


def _count(value: object) -> int | None:
    """Return a number of a list's ``meta``, which comes as a number or as digits."""
    digits = payloads.identifier(value)
    return int(digits) if _COUNT.fullmatch(digits) else None


def _period(since: datetime, until: datetime) -> dict[str, str]:
    return {"from": _text(since), "to": _text(until)}


def _text(instant: datetime) -> str:
    utc = instant.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def _instant(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _day(instant: datetime) -> date:
    return instant.astimezone(UTC).date()
