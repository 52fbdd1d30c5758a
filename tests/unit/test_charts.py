"""Marks stand where their figures say, and amounts are never rounded to nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.flask_web.web.charts import Series, bars, lines, nice
from adapters.flask_web.web.figures import many
from creditcore.domain.figures import change, per_mille, rounded


@given(st.integers(0, 10**15))
def test_the_upper_edge_is_not_below_and_not_far_above(most: int) -> None:
    assert most <= nice(most) <= max(1, most + most // 2)


def test_bars_are_stacked_from_below() -> None:
    chart = bars([Series("a", [5, None]), Series("b", [5, 10])], ["one", "two"])

    assert chart.top == 10
    assert chart.bars == [
        "M55 100h390v100h-390z",
        "M55 0h390v100h-390zM555 0h390v200h-390z",
    ]
    assert [(column.x, column.width, column.title) for column in chart.columns] == [
        ("0", "500", "one"),
        ("500", "500", "two"),
    ]


def test_a_line_breaks_off_where_nothing_was_measured() -> None:
    chart = lines([Series("p50", [0, 10, None, 10])], ["", "", "", ""])

    assert chart.lines == ["M125 200h0L375 0M875 0h0"]


def test_an_empty_chart_has_no_marks() -> None:
    assert bars([], []).columns == []
    assert bars([Series("a", [0])], [""]).bars == [""]
    assert lines([Series("p50", [None])], [""]).lines == [""]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0.00"),
        ("1234.565", "1,234.56"),
        ("1", "1.00"),
        ("0.5", "0.50"),
        ("0.123456", "0.1235"),
        ("0.000012345678", "0.00001235"),
        ("0.00000001", "0.00000001"),
    ],
)
def test_a_sum_is_short_and_never_nothing_for_something(amount: str, text: str) -> None:
    assert rounded(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (9_999, "9,999"), (56_700, "56.7K"), (8_904_000, "8.9M"), (2 * 10**9, "2.0B")],
)
def test_large_counts_are_short(count: int, text: str) -> None:
    assert many(count) == text


def test_changes_and_shares_are_said_only_where_there_are_any() -> None:
    assert change(5, 0, "none") == ""
    assert change(112, 100, "$1.00") == "+12\u00a0%, was $1.00"
    assert change(50, 100, "$1.00") == "\u221250\u00a0%, was $1.00"
    assert per_mille(None) == "\u2013"
    assert per_mille(994) == "99.4\u00a0%"
    assert per_mille(-166) == "\u221216.6\u00a0%"
