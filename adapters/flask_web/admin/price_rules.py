"""Rules over the model server's prices: what counts now, what a new one would change, its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.admin.frame import blueprint, for_money, page
from adapters.flask_web.context import services
from adapters.flask_web.web.buckets import OWN_PRICES, SALES, own_unit_price
from adapters.flask_web.web.session import actor, for_operators
from creditcore.domain.catalogue import (
    PriceChange,
    PriceRule,
    RuleKind,
    flat_rates,
    units_per_token,
    usd_per_million,
)
from creditcore.domain.errors import InvalidRequestError, PriceRuleNotFoundError
from creditcore.domain.units import UnitPrice

_SHOWN_CHANGES = 20
_SHOWN_UNSOLD = 100
_MAX_TEXT_LENGTH = 500

KINDS = {
    RuleKind.OVERRIDE: "A price of your own",
    RuleKind.MARKUP: "A markup of its own",
    RuleKind.HIDE: "Not sold",
}
"""What operators call what a rule does."""


@blueprint.get("/models/rules")
@for_operators
def price_rules() -> str:
    """List the rules that count now, and the models that are not sold."""
    catalogue = services().calls.prices.catalogue
    return page(
        "price_rules.html",
        "models",
        rules=catalogue.rules(),
        unsold=catalogue.unsold()[:_SHOWN_UNSOLD],
        kinds=KINDS,
        per_million=usd_per_million,
    )


@blueprint.get("/models/rules/new")
@for_money
def new_price_rule() -> str:
    """Ask what a rule should say."""
    return _form()


@blueprint.post("/models/rules/new")
@for_money
def add_price_rule() -> str | Response | tuple[str, int]:
    """Show what a rule would change; make it once that is confirmed."""
    try:
        rule = _rule()
        changed = services().calls.prices.catalogue.preview(rule)
    except InvalidRequestError as error:
        param = error.param or "pattern"
        return _form({_FIELDS.get(param, param): str(error)}), 400
    if request.form.get("confirmed") != "yes":
        return _form(preview=rule, changed=changed)
    services().calls.prices.catalogue.add(rule, actor=actor())
    flash(f"The rule counts now. Prices that changed: {len(changed)}.", "success")
    return redirect(url_for("admin.price_rules"))


@blueprint.get("/models/rules/<rule_id>/end")
@for_money
def ending_price_rule(rule_id: str) -> str:
    """Show what would change if a rule ended."""
    rule = _found(rule_id)
    return page(
        "price_rule_end.html",
        "models",
        rule=rule,
        kinds=KINDS,
        changed=services().calls.prices.catalogue.preview(ending=rule_id)[:_SHOWN_CHANGES],
        per_million=usd_per_million,
    )


@blueprint.post("/models/rules/<rule_id>/end")
@for_money
def end_price_rule(rule_id: str) -> Response:
    """End a rule now."""
    changed = services().calls.prices.catalogue.end(rule_id, actor=actor())
    flash(f"The rule has ended. Prices that changed: {len(changed)}.", "success")
    return redirect(url_for("admin.price_rules"))


def _found(rule_id: str) -> PriceRule:
    for rule in services().calls.prices.catalogue.rules():
        if rule.id == rule_id:
            return rule
    raise PriceRuleNotFoundError(rule_id)


_FIELDS = {"rates": "input", "unit": "per", "ends_at": "until"}
"""Parts of a rule by the field that says them, where the names differ."""


def _rule() -> PriceRule:
    """Read the form.

    Raises:
        InvalidRequestError: It says no rule; the error names the field.
    """
    try:
        kind = RuleKind(request.form.get("kind", ""))
    except ValueError:
        raise InvalidRequestError("Choose what the rule does.", param="kind") from None
    rates = unit = None
    if kind is RuleKind.OVERRIDE:
        unit = _unit()
        # What is sold by something else need not have a price of tokens.
        missing = "" if unit is None else "0"
        rates = flat_rates(read=_per_token("input", missing), written=_per_token("output", missing))
    return PriceRule(
        id=services().ids.new(),
        kind=kind,
        pattern=request.form.get("pattern", "").strip(),
        rates=rates,
        unit=unit,
        factor=request.form.get("factor", "").strip() if kind is RuleKind.MARKUP else "1",
        reason=" ".join(request.form.get("reason", "").split())[:_MAX_TEXT_LENGTH],
        created_at=services().clock.now(),
        ends_at=_end(request.form.get("until", "").strip()),
    )


def _unit() -> UnitPrice | None:
    word = request.form.get("per", "")
    if not word:
        return None
    if word not in OWN_PRICES:
        raise InvalidRequestError("Choose what the models are sold by.", param="per")
    try:
        return own_unit_price(word, request.form.get("price", "").strip())
    except ValueError:
        raise InvalidRequestError("An amount of US dollars, such as 0.04.", param="price") from None


def _per_token(name: str, missing: str) -> int:
    try:
        return units_per_token(request.form.get(name, "").strip() or missing)
    except ValueError:
        raise InvalidRequestError("An amount of US dollars, such as 2.50.", param=name) from None


def _end(day: str) -> datetime | None:
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time.max, UTC)
    except ValueError:
        raise InvalidRequestError("A day, such as 2026-12-31.", param="until") from None


def _form(
    errors: dict[str, str] | None = None,
    *,
    preview: PriceRule | None = None,
    changed: Sequence[PriceChange] = (),
) -> str:
    return page(
        "price_rule.html",
        "models",
        kinds=KINDS,
        errors=errors or {},
        typed=request.form or request.args,
        own_prices={word: SALES[unit].words.capitalize() for word, unit in OWN_PRICES.items()},
        preview=preview,
        changed=changed[:_SHOWN_CHANGES],
        more=max(0, len(changed) - _SHOWN_CHANGES),
        per_million=usd_per_million,
    )
