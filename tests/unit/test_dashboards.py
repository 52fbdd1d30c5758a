"""The dashboard and the alert rules name figures that there are, with labels that they have."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DASHBOARD = REPOSITORY / "contrib" / "grafana" / "creditcore.json"
RULES = REPOSITORY / "contrib" / "prometheus" / "creditcore.rules.yml"
_SOURCES = ("adapters/prometheus/metrics.py", "adapters/flask_web/operations/metrics.py")
_DERIVED = re.compile(r"_(?:total|bucket|sum|count)$")


def figures() -> dict[str, str]:
    """Return the source of each figure, by its name."""
    source = "".join((REPOSITORY / name).read_text() for name in _SOURCES)
    found = re.split(r'"(creditcore_[a-z_]+)"', source)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def expressions() -> list[str]:
    document = json.loads(DASHBOARD.read_text())
    shown = [target["expr"] for panel in document["panels"] for target in panel["targets"]]
    return shown + re.findall(
        r"^ +expr: (.+?)\n +for:", RULES.read_text(), re.DOTALL | re.MULTILINE
    )


@pytest.mark.parametrize("expression", expressions())
def test_every_figure_that_is_asked_for_exists(expression: str) -> None:
    named = set(re.findall(r"creditcore_[a-z_]+", expression))

    assert named
    assert {_DERIVED.sub("", name) for name in named} <= figures().keys()


def test_every_figure_is_on_the_dashboard() -> None:
    shown = {name for each in expressions() for name in re.findall(r"creditcore_[a-z_]+", each)}

    assert {_DERIVED.sub("", name) for name in shown} == figures().keys()


def test_every_rule_says_what_to_do() -> None:
    rules = re.split(r"\n +- alert: ", RULES.read_text())[1:]

    assert len(rules) >= 6
    for rule in rules:
        assert all(
            part in rule for part in ("expr:", "for:", "severity:", "summary:", "description:")
        )


def test_panels_stand_beside_each_other() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
