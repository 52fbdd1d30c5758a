"""Put what is sold together: the model server's list, under the operator's rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.catalogue import (
    ListedModel,
    PastPrice,
    PriceChange,
    PriceRule,
    changes,
    sold,
)
from creditcore.domain.errors import InvalidRequestError, PriceRuleNotFoundError
from creditcore.domain.pricing import usd_text
from creditcore.ports.clock import Clock
from creditcore.ports.model_gateway import Catalogue
from creditcore.ports.store_ports import HasActivity, HasCatalogue, HasPrices
from creditcore.ports.transactions import AlertsTransaction, Begins
from creditcore.usecases.monitoring.keep_alerts import raise_alert, resolve_alert

RETIRES_SOON = timedelta(days=30)
MAX_LIVE_RULES = 500
_MAX_ALERTS = 100


class KeepCatalogueTransaction(AlertsTransaction, HasActivity, HasCatalogue, HasPrices, Protocol):
    """What keeping the price list reads and writes."""


def _nothing() -> None:
    """No key has a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepCatalogue:
    """Applies the operator's rules to what the model server lists.

    A new price counts for calls that begin after it. Those under way keep theirs: their
    holds name it, and every price that was ever in force can be found again.

    Attributes:
        changed: What to do when prices may have changed here.
    """

    transactions: Begins[KeepCatalogueTransaction]
    clock: Clock
    changed: Callable[[], None] = _nothing

    def take(self, catalogue: Catalogue) -> int:
        """Keep a list as it was fetched, and sell by it; return how many models are sold."""
        now = self.clock.now()
        listed = [ListedModel(model=price.model, price=price) for price in catalogue.prices]
        listed += [
            ListedModel(model=model, fault=catalogue.faults.get(model, "it has no price"))
            for model in catalogue.unpriced
        ]
        with self.transactions.begin() as tx:
            tx.catalogue.lock()
            gone = {each.model for each in tx.catalogue.listed()} - {each.model for each in listed}
            tx.catalogue.keep_listed(listed, at=now)
            count, _ = _apply(tx, now, always=True)
            _tell(tx, listed, gone, now)
            tx.commit()
        self.changed()
        return count

    def apply(self) -> int:
        """Sell by the stored list and the rules that count now; return how many prices changed."""
        now = self.clock.now()
        with self.transactions.begin() as tx:
            tx.catalogue.lock()
            _, changed = _apply(tx, now)
            tx.commit()
        self.changed()
        return len(changed)

    def rules(self, *, ended: bool = False) -> Sequence[PriceRule]:
        """Return the rules that count now, or all there ever were; the latest first."""
        now = self.clock.now()
        with self.transactions.begin() as tx:
            return [rule for rule in tx.catalogue.rules() if ended or rule.is_live(now)]

    def unsold(self) -> Sequence[ListedModel]:
        """Return the listed models that are not sold: without a price, or hidden."""
        with self.transactions.begin() as tx:
            offered = {price.model for price in tx.prices.all()}
            return [each for each in tx.catalogue.listed() if each.model not in offered]

    def history(self, model: str, *, limit: int = 20) -> Sequence[PastPrice]:
        """Return how the price of a model has changed, the latest first."""
        with self.transactions.begin() as tx:
            return tx.catalogue.history(model, limit=limit)

    def preview(
        self, rule: PriceRule | None = None, *, ending: str | None = None
    ) -> Sequence[PriceChange]:
        """Return what would change if a rule were added, or ended; nothing is changed.

        Raises:
            InvalidRequestError: The rule means nothing.
            PriceRuleNotFoundError: There is no such rule to end.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            rules = _with(tx.catalogue.rules(), rule, ending, now)
            return changes(tx.prices.all(), sold(tx.catalogue.listed(), rules, now=now))

    def add(self, rule: PriceRule, *, actor: Actor = SYSTEM) -> Sequence[PriceChange]:
        """Add a rule, which counts from now on; return what that changed.

        Raises:
            InvalidRequestError: It means nothing, or there are too many.
            ReferenceConflictError: Its id is taken.
        """
        rule = replace(rule.checked(), created_by=actor.id)
        with self.transactions.begin() as tx:
            tx.catalogue.lock()
            now = self.clock.now()
            live = sum(each.is_live(now) for each in tx.catalogue.rules())
            if live >= MAX_LIVE_RULES:
                raise InvalidRequestError(f"There are {MAX_LIVE_RULES} rules already: end some.")
            tx.catalogue.add_rule(rule)
            _, changed = _apply(tx, now)
            tx.activity.add(
                Activity(
                    actor=actor,
                    act=Act.PRICE_RULE_ADDED,
                    target=f"price_rule:{rule.id}",
                    after=_told(rule),
                    at=now,
                )
            )
            tx.commit()
        self.changed()
        return changed

    def end(self, rule_id: str, *, actor: Actor = SYSTEM) -> Sequence[PriceChange]:
        """End a rule now; return what that changed. A repeat changes nothing.

        Raises:
            PriceRuleNotFoundError: There is no such rule.
        """
        with self.transactions.begin() as tx:
            tx.catalogue.lock()
            now = self.clock.now()
            rule = _found(tx.catalogue.rules(), rule_id)
            if not rule.is_live(now):
                return []
            tx.catalogue.save_rule(rule.end(at=now))
            _, changed = _apply(tx, now)
            tx.activity.add(
                Activity(
                    actor=actor,
                    act=Act.PRICE_RULE_ENDED,
                    target=f"price_rule:{rule.id}",
                    before=_told(rule),
                    at=now,
                )
            )
            tx.commit()
        self.changed()
        return changed


def _apply(
    tx: KeepCatalogueTransaction, now: datetime, *, always: bool = False
) -> tuple[int, Sequence[PriceChange]]:
    """Write what is sold now, where it differs; return how many models are, and what changed."""
    prices = sold(tx.catalogue.listed(), tx.catalogue.rules(), now=now)
    changed = changes(tx.prices.all(), prices)
    if changed or always:
        tx.prices.replace_all(prices, at=now)
    if changed:
        tx.catalogue.note(changed, at=now)
    return len(prices), changed


def _with(
    rules: Sequence[PriceRule], added: PriceRule | None, ending: str | None, now: datetime
) -> list[PriceRule]:
    kept = list(rules)
    if ending is not None:
        ended = _found(rules, ending)
        kept = [each.end(at=now) if each is ended else each for each in kept]
    if added is not None:
        kept.append(added.checked())
    return kept


def _found(rules: Sequence[PriceRule], rule_id: str) -> PriceRule:
    for rule in rules:
        if rule.id == rule_id:
            return rule
    raise PriceRuleNotFoundError(rule_id)


def _told(rule: PriceRule) -> dict[str, object]:
    told: dict[str, object] = {"kind": str(rule.kind), "pattern": rule.pattern}
    if rule.rates is not None:
        told |= {"input": usd_text(rule.rates.input), "output": usd_text(rule.rates.output)}
    if rule.unit is not None:
        told |= {"unit": str(rule.unit.unit), "unit_price": usd_text(rule.unit.price_units)}
    if rule.factor != "1":
        told["factor"] = rule.factor
    if rule.ends_at is not None:
        told["ends_at"] = rule.ends_at.isoformat()
    return told | {"reason": rule.reason}


def _tell(
    tx: KeepCatalogueTransaction, listed: Sequence[ListedModel], gone: set[str], now: datetime
) -> None:
    """Raise alerts of models that cannot be sold, are gone, or will be; resolve what is over."""
    offered = {price.model for price in tx.prices.all()}
    for each in [each for each in listed if each.fault and each.model not in offered][:_MAX_ALERTS]:
        raise_alert(tx, _unpriced(each, now))
    for alert in tx.alerts.recent(limit=_MAX_ALERTS, only_open=True):
        kind, _, model = alert.key.partition(":")
        if kind == _UNPRICED and model in offered:
            resolve_alert(tx, alert.key, at=now)
    for model in sorted(gone)[:_MAX_ALERTS]:
        raise_alert(tx, _gone(model, now))
    for each in listed:
        price = each.price
        if price is None or price.retires_on is None or each.model not in offered:
            continue
        if price.retires_on <= (now + RETIRES_SOON).date():
            raise_alert(tx, _retiring(each.model, f"{price.retires_on}", now))


_UNPRICED = "unpriced-model"


def _unpriced(listed: ListedModel, now: datetime) -> Alert:
    return Alert(
        key=f"{_UNPRICED}:{listed.model}",
        severity=Severity.WARNING,
        subject=f"The model {listed.model} has no price",
        message=(
            f"It is not offered: {listed.fault}. Set input_cost_per_token and "
            "output_cost_per_token in its litellm_params (0 there if it is meant to be free), or "
            "give it a price here: 'prices override'."
        ),
        at=now,
    )


def _gone(model: str, now: datetime) -> Alert:
    return Alert(
        key=f"model_gone:{model}:{now:%Y-%m-%d}",
        severity=Severity.WARNING,
        subject=f"The model {model} is gone",
        message="The model server does not list it any more, and calls of it are refused.",
        at=now,
    )


def _retiring(model: str, day: str, now: datetime) -> Alert:
    return Alert(
        key=f"model_retires:{model}:{day}",
        severity=Severity.INFO,
        subject=f"The model {model} will be turned off",
        message=f"Its provider turns it off on {day}, by the model server's list.",
        at=now,
    )
