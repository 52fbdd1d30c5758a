"""The operator's side: money, people, payments, alerts and jobs."""

from __future__ import annotations

from adapters.flask_web.admin import (
    failures,
    models,
    money,
    overview,
    payments,
    people,
    price_rules,
    teams,
    viewing,
    work,
)
from adapters.flask_web.admin.frame import blueprint

# Each of these adds its pages to the one blueprint.
PAGES = (overview, people, teams, money, payments, models, price_rules, work, failures, viewing)
BLUEPRINTS = (blueprint,)
