"""Reads over all wallets, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from creditcore.domain.endings import error_of
from creditcore.domain.errors import WebhookNotFoundError
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import TransferKind
from creditcore.domain.money import ZERO, Credits, div_floor
from creditcore.domain.periods import Span
from creditcore.domain.purchases import Purchase, PurchaseState
from creditcore.domain.usage_hours import Tally, tally_of
from creditcore.ports.calls import Place
from creditcore.ports.oversight import (
    Account,
    Found,
    FoundKind,
    InboxDepth,
    OpenHolds,
    OpenPayments,
    Takings,
    TeamAccount,
    WalletTotals,
    WantedFailures,
)
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.usage_hours import ErrorCount
from creditcore.testing.memory_payments import is_numbered
from creditcore.testing.memory_usage_hours import failures_among

if TYPE_CHECKING:
    from creditcore.testing.memory import MemoryTables

Row = TypeVar("Row")

_OF_CALLS = (TransferKind.CHARGE, TransferKind.WRITE_OFF)
_CREDITED = (PurchaseState.PAID, PurchaseState.REVERSED)


@dataclass
class MemoryOversight:
    """Reads over all wallets."""

    tables: MemoryTables

    def totals(self) -> WalletTotals:
        wallets = self.tables.wallets.values()
        return WalletTotals(
            wallets=len(wallets),
            posted=sum((wallet.posted for wallet in wallets), ZERO),
            held=sum((wallet.held for wallet in wallets), ZERO),
            owed=sum((wallet.owed for wallet in wallets), ZERO),
        )

    def credits_in(self, span: Span | None = None) -> Mapping[TransferKind, Credits]:
        found: defaultdict[TransferKind, Credits] = defaultdict(lambda: ZERO)
        for row in self.tables.transfers.values():
            if row.kind in _OF_CALLS or not _within(row.at, span):
                continue
            if row.to_account == row.wallet_id:
                found[row.kind] += row.amount
            elif row.from_account == row.wallet_id:
                found[row.kind] -= row.amount
            else:
                found[row.kind] += ZERO
        return dict(found)

    def takings(self, span: Span | None = None) -> Sequence[Takings]:
        found: dict[str, Takings] = {}
        for row in self.tables.purchases.values():
            if row.state not in _CREDITED or row.paid is None or not _within(row.closed_at, span):
                continue
            had = found.get(row.paid.currency) or _nothing(row.paid.currency)
            found[had.currency] = replace(
                had,
                payments=had.payments + 1,
                paid=had.paid + row.paid.minor_units,
                value_cents=had.value_cents + row.offer.value.minor_units,
            )
        for refund in self.tables.refunds.values():
            purchase = self.tables.purchases[refund.purchase]
            if not refund.in_force or not purchase.paid or not _within(refund.created_at, span):
                continue
            had = found.get(refund.amount.currency) or _nothing(refund.amount.currency)
            value = purchase.offer.value.minor_units
            found[had.currency] = replace(
                had,
                refunded=had.refunded + refund.amount.minor_units,
                refunded_cents=had.refunded_cents
                + div_floor(refund.amount.minor_units * value, purchase.paid.minor_units),
            )
        return [found[currency] for currency in sorted(found)]

    def usage(self, spans: Sequence[Span]) -> Sequence[Mapping[str, Tally]]:
        found: list[defaultdict[str, Tally]] = [defaultdict(Tally) for _ in spans]
        refusals = (
            (hour, model, replace(Tally(), **_refusals(row.tally)))
            for (_, hour, _, model), row in self.tables.usage_rows.items()
            if row.tally.refused
        )
        calls = (
            (hold.closed_at, hold.call.model if hold.call else "", tally_of(hold))
            for hold in self.tables.holds.values()
        )
        for at, model, tally in (*refusals, *calls):
            for number, span in enumerate(spans):
                if _within(at, span):
                    found[number][model] += tally
        return [dict(each) for each in found]

    def failures(self, spans: Sequence[Span]) -> Sequence[ErrorCount]:
        holds = self.tables.holds.values()
        ended = [(hold, hold.closed_at) for hold in holds if hold.closed_at is not None]
        return failures_among(ended, spans)

    def failed_calls(
        self, wanted: WantedFailures, *, limit: int, before: Place | None = None
    ) -> Sequence[Hold]:
        found = [
            (Place(hold.closed_at, hold.reference), hold)
            for hold in self.tables.holds.values()
            if hold.closed_at is not None
            and _within(hold.closed_at, wanted.span)
            and error_of(hold)
            and wanted.error in {None, error_of(hold)}
            and wanted.model in {None, hold.call.model if hold.call else ""}
        ]
        earlier = [each for each in found if before is None or each[0] < before]
        return [hold for _, hold in sorted(earlier, key=lambda each: each[0], reverse=True)][:limit]

    def active_wallets(self, span: Span) -> int:
        holds = self.tables.holds.values()
        return len({hold.wallet_id for hold in holds if _within(hold.closed_at, span)})

    def open_holds(self) -> OpenHolds:
        found = [hold.created_at for hold in self.tables.holds.values() if hold.is_open]
        return OpenHolds(number=len(found), oldest_at=min(found, default=None))

    def inbox(self) -> InboxDepth:
        waiting = [event.received_at for event in self.tables.events.values() if event.due_at]
        latest = max((each.received_at for each in self.tables.events.values()), default=None)
        return InboxDepth(
            waiting=len(waiting),
            oldest_received_at=min(waiting, default=None),
            latest_received_at=latest,
        )

    def open_payments(self) -> OpenPayments:
        payments = self.tables.purchases.values()
        begun = [each.created_at for each in payments if each.state is PurchaseState.PENDING]
        return OpenPayments(number=len(begun), oldest_at=min(begun, default=None))

    def accounts(self, *, limit: int, before: Place | None = None) -> Sequence[Account]:
        wallets = {wallet.owner_id: wallet for wallet in self.tables.wallets.values()}
        people = _latest(
            self.tables.people.values(), lambda row: Place(row.created_at, row.id), limit, before
        )
        return [Account(person, wallets.get(person.id)) for person in people]

    def teams(self, *, limit: int, before: Place | None = None) -> Sequence[TeamAccount]:
        """Return teams, the latest made first."""
        wallets = {wallet.owner_id: wallet for wallet in self.tables.wallets.values()}
        members = [team_id for team_id, _ in self.tables.memberships]
        found = _latest(
            self.tables.teams.values(), lambda row: Place(row.created_at, row.id), limit, before
        )
        return [TeamAccount(row, wallets[row.id], members.count(row.id)) for row in found]

    def used_by(self, wallet_ids: Collection[str], *, since: datetime) -> Mapping[str, Tally]:
        found: defaultdict[str, Tally] = defaultdict(Tally)
        for (wallet_id, hour, _, _), row in self.tables.usage_rows.items():
            if wallet_id in wallet_ids and hour >= since:
                found[wallet_id] += row.tally
        return dict(found)

    def purchases(
        self, *, limit: int, before: Place | None = None, state: PurchaseState | None = None
    ) -> Sequence[Purchase]:
        wanted = [row for row in self.tables.purchases.values() if state in (None, row.state)]
        return _latest(wanted, lambda row: Place(row.created_at, row.reference), limit, before)

    def events(
        self, *, limit: int, before: Place | None = None, only_waiting: bool = False
    ) -> Sequence[PaymentEvent]:
        wanted = [row for row in self.tables.events.values() if row.due_at or not only_waiting]
        return _latest(wanted, lambda row: Place(row.received_at, row.digest), limit, before)

    def event(self, digest: str) -> PaymentEvent:
        if digest not in self.tables.events:
            raise WebhookNotFoundError(digest)
        return self.tables.events[digest]

    def search(self, text: str, *, limit: int) -> Sequence[Found]:
        if not text or "\0" in text:
            return []
        return [
            *self._people(text),
            *self._teams(text),
            *self._keys(text),
            *self._calls(text),
            *self._payments(text),
        ][:limit]

    def _people(self, text: str) -> list[Found]:
        owners = self._owners_of(text)
        people = [
            person
            for person in self.tables.people.values()
            if person.id in owners or person.email.startswith(text.lower())
        ]
        return [
            Found(
                kind=FoundKind.PERSON,
                id=person.id,
                label=person.email,
                owner_id=person.id,
                at=person.created_at,
            )
            for person in sorted(people, key=lambda person: person.email)
        ]

    def _teams(self, text: str) -> list[Found]:
        owners = self._owners_of(text)
        teams = [
            team
            for team in self.tables.teams.values()
            if team.id in owners or team.search_name.startswith(text.casefold())
        ]
        return [
            Found(
                kind=FoundKind.TEAM,
                id=team.id,
                label=team.name,
                owner_id=team.id,
                at=team.created_at,
            )
            for team in sorted(teams, key=lambda team: (team.search_name, team.id))
        ]

    def _owners_of(self, text: str) -> set[str]:
        """Return the owners that a text names: by their own id, or by that of their wallet."""
        return {w.owner_id for w in self.tables.wallets.values() if w.id == text} | {text}

    def _keys(self, text: str) -> list[Found]:
        return [
            Found(
                kind=FoundKind.KEY,
                id=key.id,
                label=f"{key.name} ({key.prefix}\u2026{key.last_four})",
                owner_id=key.owner_id,
                at=key.created_at,
            )
            for key in self.tables.keys.values()
            if text in (key.id, key.prefix, key.last_four)
        ]

    def _calls(self, text: str) -> list[Found]:
        found = []
        if hold := self.tables.holds.get(text):
            model = hold.call.model if hold.call else "unknown model"
            found.append((FoundKind.CALL, hold.wallet_id, model, hold.created_at))
        if refused := self.tables.refused.get(text):
            model = refused.model or "unknown model"
            found.append((FoundKind.REFUSED_CALL, refused.wallet_id, model, refused.at))
        return [
            Found(
                kind=kind,
                id=text,
                label=model,
                owner_id=self.tables.wallets[wallet_id].owner_id,
                at=at,
            )
            for kind, wallet_id, model, at in found
        ]

    def _payments(self, text: str) -> list[Found]:
        payments = [
            Found(
                kind=FoundKind.PAYMENT,
                id=row.reference,
                label=row.email,
                owner_id=row.owner_id,
                at=row.created_at,
            )
            for row in self.tables.purchases.values()
            if row.reference.startswith(text) or is_numbered(row, text)
        ]
        webhooks = [
            Found(
                kind=FoundKind.WEBHOOK,
                id=event.digest,
                label=event.name or "unreadable",
                at=event.received_at,
            )
            for event in sorted(self.tables.events.values(), key=lambda row: row.received_at)
            if event.reference == text
        ]
        webhooks.reverse()
        return payments + webhooks


def _nothing(currency: str) -> Takings:
    return Takings(currency=currency, payments=0, paid=0)


def _refusals(tally: Tally) -> dict[str, int]:
    return {
        "refused_402": tally.refused_402,
        "refused_429": tally.refused_429,
        "refused_other": tally.refused_other,
    }


def _within(at: datetime | None, span: Span | None) -> bool:
    return at is not None and (span is None or span.since <= at < span.until)


def _latest(
    rows: Iterable[Row], place: Callable[[Row], Place], limit: int, before: Place | None
) -> list[Row]:
    wanted = [row for row in rows if before is None or place(row) < before]
    return sorted(wanted, key=place, reverse=True)[:limit]
