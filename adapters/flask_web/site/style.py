"""Every part of the pages in each of its states, for those who change them. Not in production."""

from __future__ import annotations

from flask import Blueprint, render_template
from werkzeug.exceptions import NotFound

from adapters.flask_web.context import settings
from adapters.flask_web.web.charts import Series, bars, lines
from adapters.flask_web.web.formatting import Status, Tone

blueprint = Blueprint("style", __name__)

_DAYS = ("Mon 23 Nov", "Tue 24 Nov", "Wed 25 Nov", "Thu 26 Nov", "Fri 27 Nov", "Sat 28 Nov")


@blueprint.get("/_style")
def show() -> str:
    """Show buttons, messages, badges, fields, tables and charts."""
    if settings().is_production:
        raise NotFound
    series = [
        Series("claude-sonnet-4-5", (40, 12, 33, 61, 5, 0)),
        Series("gpt-4o-mini", (10, 22, 8, 14, 3, 0)),
        Series("demo-chat", (4, 6, 2, 9, 11, 0)),
    ]
    return render_template(
        "site/style.html",
        page="style",
        statuses=[Status(tone.value.capitalize(), tone) for tone in Tone],
        bars=bars(series, _DAYS),
        lines=lines([Series("p50", (300, 420, None, 380, 900, 350))], _DAYS),
        names=[each.name for each in series],
    )
