"""The operator's side: money, people, payments, alerts and jobs."""

from __future__ import annotations

from adapters.flask_web.admin import (
    account_acts,
    activity,
    alerts,
    failures,
    jobs,
    models,
    overview,
    payments,
    people,
    price_rules,
    teams,
    viewing,
)
from adapters.flask_web.admin.frame import blueprint

# Each of these adds its pages to the one blueprint.
PAGES = (
    overview,
    people,
    teams,
    account_acts,
    payments,
    models,
    price_rules,
    alerts,
    jobs,
    activity,
    failures,
    viewing,
)
BLUEPRINTS = (blueprint,)
