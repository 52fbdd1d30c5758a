"""What is sold and for how much: see it, change it, and see what that would change before."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time

import click
from flask.cli import AppGroup, with_appcontext

from adapters.flask_web.context import services
from adapters.flask_web.web.buckets import OWN_PRICES, SALES, own_unit_price
from creditcore.domain.activity import COMMAND_LINE
from creditcore.domain.catalogue import (
    PriceChange,
    PriceRule,
    RuleKind,
    flat_rates,
    units_per_token,
    usd_per_million,
)
from creditcore.domain.errors import CreditcoreError
from creditcore.domain.pricing import ModelPrice, Rates, usd_text
from creditcore.domain.units import UnitPrice

prices = AppGroup("prices", help="What is sold and for how much.")

_SHOWN = 20

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")


def _changing(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a command that makes a rule."""
    for option in (
        _JSON,
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--dry-run", is_flag=True, help="Only show what would change."),
        click.option("--reason", default="", help="Why; kept with the rule."),
        click.option("--until", help="The last day of it (UTC), as in 2026-12-31."),
    ):
        command = option(command)
    return command


@prices.command("list")
@click.option("--unsold", is_flag=True, help="Only models that are not sold, and why.")
@_JSON
@with_appcontext
def list_prices(*, unsold: bool, as_json: bool) -> None:
    """List what is sold, in US dollars for a million tokens, by what the provider asks."""
    sold = [] if unsold else services().calls.prices.all()
    missing = services().calls.prices.catalogue.unsold()
    if as_json:
        click.echo(
            json.dumps(
                {
                    "sold": [_price_facts(price) for price in sold],
                    "unsold": [
                        {"model": each.model, "reason": each.fault or "hidden"} for each in missing
                    ],
                }
            )
        )
        return
    for price in sold:
        click.echo(f"{price.model:40}  {_price_text(price)}")
    for each in missing:
        click.echo(f"{each.model:40}  not sold: {each.fault or 'hidden by a rule'}")


@prices.command("rules")
@click.option("--ended", is_flag=True, help="Also those that have ended.")
@_JSON
@with_appcontext
def list_rules(*, ended: bool, as_json: bool) -> None:
    """List the rules over the model server's prices, the latest first."""
    found = services().calls.prices.catalogue.rules(ended=ended)
    if as_json:
        click.echo(json.dumps([_rule_facts(rule) for rule in found]))
        return
    for rule in found:
        facts = _rule_facts(rule)
        until = f", until {rule.ends_at:%Y-%m-%d %H:%M} UTC" if rule.ends_at else ""
        over = f", ended {rule.ended_at:%Y-%m-%d %H:%M} UTC" if rule.ended_at else ""
        click.echo(f"{rule.id}  {facts['kind']} {rule.pattern}: {_rule_text(rule)}{until}{over}")
        if rule.reason:
            click.echo(f"    {rule.reason}")
    if not found:
        click.echo("There are no rules: every model is sold at the model server's price.")


@prices.command("history")
@click.argument("model")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@_JSON
@with_appcontext
def show_history(model: str, limit: int, *, as_json: bool) -> None:
    """Show how the price of a model has changed, the latest first."""
    found = services().calls.prices.catalogue.history(model, limit=limit)
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "at": each.at.isoformat(),
                        "price": None if each.price is None else _price_facts(each.price),
                    }
                    for each in found
                ]
            )
        )
        return
    for each in found:
        click.echo(f"{each.at:%Y-%m-%d %H:%M} UTC  {_price_text(each.price)}")
    if not found:
        raise click.ClickException(f"{model} has never been sold here.")


@prices.command("override")
@click.argument("pattern")
@click.option("--input", "input_", help="US dollars for a million tokens read.")
@click.option("--output", help="The same for tokens written.")
@click.option("--cache-read", help="The same for tokens read from a cache; else as read.")
@click.option("--cache-write", help="The same for tokens written to a cache; else as read.")
@click.option("--per", type=click.Choice(list(OWN_PRICES)), help="What is sold besides tokens.")
@click.option(
    "--price",
    help="US dollars for an image, a million characters, a minute of sound, a thousand searches.",
)
@_changing
@with_appcontext
def override(
    pattern: str,
    *,
    input_: str | None,
    output: str | None,
    cache_read: str | None,
    cache_write: str | None,
    per: str | None,
    price: str | None,
    **asked: str | bool | None,
) -> None:
    """Sell models at a price of your own, flat, whatever the model server says.

    PATTERN is a model's name, or has * and ?. A price of 0 is free. With --per, tokens may be left
    out, and models of another kind stay as they are.
    """
    unit = _unit(per, price)
    if unit is None and (input_ is None or output is None):
        raise click.ClickException("Give --input and --output, or --per and --price.")
    rates = flat_rates(
        read=_per_token("--input", input_ or "0"),
        written=_per_token("--output", output or "0"),
        cached=None if cache_read is None else _per_token("--cache-read", cache_read),
        kept=None if cache_write is None else _per_token("--cache-write", cache_write),
    )
    _make(RuleKind.OVERRIDE, pattern, asked, rates=rates, unit=unit)


@prices.command("markup")
@click.argument("pattern")
@click.option("--factor", required=True, help="1.25 is a quarter more, beside USAGE_MARKUP.")
@_changing
@with_appcontext
def markup(pattern: str, *, factor: str, **asked: str | bool | None) -> None:
    """Sell models at so many times their provider's price, times USAGE_MARKUP."""
    _make(RuleKind.MARKUP, pattern, asked, factor=factor)


@prices.command("hide")
@click.argument("pattern")
@_changing
@with_appcontext
def hide(pattern: str, **asked: str | bool | None) -> None:
    """Sell models no more; calls of them are refused as of unknown ones."""
    _make(RuleKind.HIDE, pattern, asked)


@prices.command("end")
@click.argument("rule_id")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_JSON
@with_appcontext
def end(rule_id: str, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """End a rule now."""
    catalogue = services().calls.prices.catalogue
    try:
        would = catalogue.preview(ending=rule_id)
        if _is_wanted(would, dry_run=dry_run, yes=yes, as_json=as_json):
            catalogue.end(rule_id, actor=COMMAND_LINE)
    except CreditcoreError as error:
        raise click.ClickException(str(error)) from error
    _report(would, done=not dry_run, rule_id=rule_id, as_json=as_json)


def _make(
    kind: RuleKind,
    pattern: str,
    asked: Mapping[str, str | bool | None],
    *,
    rates: Rates | None = None,
    unit: UnitPrice | None = None,
    factor: str = "1",
) -> None:
    """Make a rule as the options that each of them has say."""
    catalogue, until = services().calls.prices.catalogue, asked["until"]
    dry_run, as_json = bool(asked["dry_run"]), bool(asked["as_json"])
    rule = PriceRule(
        id=services().ids.new(),
        kind=kind,
        pattern=pattern,
        rates=rates,
        unit=unit,
        factor=factor,
        reason=str(asked["reason"]),
        created_at=services().clock.now(),
        ends_at=_end_of(str(until)) if until else None,
    )
    try:
        would = catalogue.preview(rule)
        if _is_wanted(would, dry_run=dry_run, yes=bool(asked["yes"]), as_json=as_json):
            catalogue.add(rule, actor=COMMAND_LINE)
    except CreditcoreError as error:
        raise click.ClickException(str(error)) from error
    _report(would, done=not dry_run, rule_id=rule.id, as_json=as_json)


def _is_wanted(would: Sequence[PriceChange], *, dry_run: bool, yes: bool, as_json: bool) -> bool:
    """Show what would change, and ask, unless that was answered already."""
    if not as_json:
        for change in would[:_SHOWN]:
            before, after = _price_text(change.before), _price_text(change.after)
            click.echo(f"{change.model}: {before} -> {after}")
        if len(would) > _SHOWN:
            click.echo(f"... and {len(would) - _SHOWN} more")
        if not would:
            click.echo("No price changes by this now.")
    if dry_run:
        return False
    if not yes:
        click.confirm("Do it?", abort=True, err=as_json)
    return True


def _report(changed: Sequence[PriceChange], *, done: bool, rule_id: str, as_json: bool) -> None:
    if not as_json:
        click.echo(f"Done: rule {rule_id}." if done else "Nothing was changed.")
        return
    facts = [
        {
            "model": each.model,
            "before": None if each.before is None else _price_facts(each.before),
            "after": None if each.after is None else _price_facts(each.after),
        }
        for each in changed
    ]
    click.echo(json.dumps({"rule": rule_id, "done": done, "changes": facts}))


def _per_token(option: str, text: str) -> int:
    """Read dollars for a million tokens as the price of one.

    Raises:
        click.ClickException: They are none.
    """
    try:
        return units_per_token(text)
    except ValueError:
        raise click.ClickException(f"{option} is an amount of US dollars, as in 2.50.") from None


def _unit(per: str | None, price: str | None) -> UnitPrice | None:
    if (per is None) != (price is None):
        raise click.ClickException("--per and --price belong together.")
    if per is None or price is None:
        return None
    try:
        return own_unit_price(per, price)
    except ValueError:
        raise click.ClickException("--price is an amount of US dollars, as in 0.04.") from None


def _end_of(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), time.max, UTC)
    except ValueError:
        raise click.ClickException("--until is a day, as in 2026-12-31.") from None


def _price_text(price: ModelPrice | None) -> str:
    if price is None:
        return "not sold"
    rates = price.rates
    text = _unit_text(price.unit)
    text += f"${usd_per_million(rates.input)} in, ${usd_per_million(rates.output)} out"
    if price.tiers:
        text += f", {len(price.tiers)} tier(s)"
    if price.markup != "1":
        text += f", times {price.markup}"
    return text


def _unit_text(unit: UnitPrice | None) -> str:
    if unit is None:
        return ""
    sale = SALES[unit.unit]
    return f"${usd_text(unit.price_units * sale.units)} per {sale.words}, and "


def _price_facts(price: ModelPrice) -> dict[str, object]:
    rates = price.rates
    return {
        "model": price.model,
        "mode": price.mode,
        "usd_per_million_tokens": {
            name: usd_per_million(getattr(rates, name))
            for name in ("input", "output", "cache_read", "cache_write", "reasoning")
        },
        "unit": None if price.unit is None else str(price.unit.unit),
        "usd_per_unit": None if price.unit is None else usd_text(price.unit.price_units),
        "tiers_above_prompt_tokens": [tier.above_prompt_tokens for tier in price.tiers],
        "markup": price.markup,
        "retires_on": None if price.retires_on is None else price.retires_on.isoformat(),
    }


def _rule_text(rule: PriceRule) -> str:
    if rule.rates is not None:
        rates = rule.rates
        tokens = f"${usd_per_million(rates.input)} in, ${usd_per_million(rates.output)} out"
        return _unit_text(rule.unit) + tokens
    return f"times {rule.factor}" if rule.kind is RuleKind.MARKUP else "not sold"


def _rule_facts(rule: PriceRule) -> dict[str, object]:
    rates = rule.rates
    return {
        "id": rule.id,
        "kind": str(rule.kind),
        "pattern": rule.pattern,
        "usd_per_million_tokens": None
        if rates is None
        else {"input": usd_per_million(rates.input), "output": usd_per_million(rates.output)},
        "unit": None if rule.unit is None else str(rule.unit.unit),
        "usd_per_unit": None if rule.unit is None else usd_text(rule.unit.price_units),
        "factor": rule.factor,
        "reason": rule.reason,
        "created_at": rule.created_at.isoformat(),
        "created_by": rule.created_by,
        "ends_at": rule.ends_at.isoformat() if rule.ends_at else None,
        "ended_at": rule.ended_at.isoformat() if rule.ended_at else None,
    }
