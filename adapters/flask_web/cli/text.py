"""Amounts and counts as a command prints them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click

from creditcore.domain.money import MAX_INT64, Credits, Money, decimal_ratio
from creditcore.domain.people import Person

AS_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, for machines."
)


def money_from(text: str, currency: str) -> Money:
    """Read an amount such as ``12.50``.

    Raises:
        click.ClickException: It is no amount of whole minor units above zero.
    """
    try:
        numerator, denominator = decimal_ratio(text)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    minor_units, rest = divmod(numerator * 100, denominator)
    if rest or not 0 < minor_units <= MAX_INT64:
        raise click.ClickException(f"{text} is no amount of {currency}: write it like 12.50.")
    return Money(minor_units, currency)


def credits_text(amount: Credits) -> str:
    """Return an amount with its unit."""
    return f"{amount} credit" if amount == Credits.of(1) else f"{amount} credits"


def counted(count: int, what: str) -> str:
    """Return a number of things, the plural given, in the singular where it is one."""
    return f"{count:,} {what.removesuffix('s') if count == 1 else what}"


def facts_of(act: str, person: Person) -> dict[str, object]:
    """Return what the JSON of an act on a person begins with."""
    return {"act": act, "email": person.email, "id": person.id}


def say(facts: Mapping[str, object], said: str, *, as_json: bool) -> None:
    """Print what a command did: one sentence for people, or one JSON object for machines."""
    click.echo(json.dumps(facts, indent=2) if as_json else said)
