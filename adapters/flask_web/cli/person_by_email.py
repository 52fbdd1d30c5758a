"""Whom a command speaks of."""

from __future__ import annotations

import click

from adapters.flask_web.context import services
from creditcore.domain.errors import CreditcoreError
from creditcore.domain.people import Person, clean_email


def person_with(email: str) -> Person:
    """Return the person with this address.

    Raises:
        ClickException: It is no address, or has no account.
    """
    try:
        address = clean_email(email)
    except CreditcoreError as error:
        raise click.ClickException(str(error)) from None
    with services().transactions.begin() as tx:
        person = tx.people.find_by_email(address)
    if person is None:
        raise click.ClickException(f"{email} has no account here.")
    return person
