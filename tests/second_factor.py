"""The second factor of an account, as its owner sets it up and uses it."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

from creditcore.testing.contracts.identity_house import totp
from tests.visitors import Visitor

SECURITY = "/dashboard/security"


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return html.unescape(found[1])


def set_up_second_factor(member: Visitor) -> tuple[str, list[str]]:
    """Return the app's secret and the recovery codes."""
    page = member.post(f"{SECURITY}/second-factor", {}).text
    secret = hidden(page, "secret")
    form = {name: hidden(page, name) for name in ("enrolment", "secret", "uri")}
    answer = member.post(
        f"{SECURITY}/second-factor/confirm", form | {"code": totp(secret, datetime.now(UTC))}
    )
    assert answer.status_code == 201
    codes = re.search(r'id="recovery-codes">([^<]*)<', answer.text)
    assert codes
    return secret, codes[1].split()


def next_code(secret: str) -> str:
    """The code of now was used to set the app up: the next one is taken a little early."""
    return totp(secret, datetime.now(UTC) + timedelta(seconds=30))
