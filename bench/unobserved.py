"""The gateway without figures of its calls, beside which the one that has them is measured."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

from adapters.flask_web.app import create_app
from adapters.flask_web.settings import Settings
from adapters.prometheus import PrometheusMetrics
from creditcore.domain.holds import Call, Outcome
from creditcore.domain.money import Credits
from creditcore.ports.metrics import PoolUse
from creditcore.services import Services
from wsgi import ports_of, rules_of


class Uncounted(PrometheusMetrics):
    """The product's figures, none of which is kept."""

    def ended(self, call: Call, outcome: Outcome, *, charged: Credits) -> None:
        """Forget a call."""

    def pools(self, uses: Iterable[PoolUse]) -> None:
        """Forget how far pools are taken."""


_settings = Settings.from_env(os.environ)
_ports = replace(ports_of(_settings), metrics=Uncounted())
app = create_app(Services.of(_ports, rules_of(_settings)), _settings)
