"""Commands that are asked about a period that no calendar, or no past, has."""

from __future__ import annotations

import pytest

from tests.web.site import Site


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("reconcile --to 9999-12-31", "is not in the years 2000 to 2999"),
        ("reconcile --from 0001-01-01 --to 0001-01-02", "is not in the years 2000 to 2999"),
        ("reconcile --from 2999-12-31 --to 2999-12-31", "has to lie before --to, and before now"),
        ("reconcile-usage --from 0001-01-01", "is not in the years 2000 to 2999"),
        ("reconcile-usage --from 2000-01-01", "366 days at a time at most"),
        ("reconcile-usage --from 2999-01-01 --to 2999-01-02", "before now"),
        ("sales --month 9999-12", "is not in the years 2000 to 2999"),
        ("usage rebuild --from 0001-01-01", "is not in the years 2000 to 2999"),
        ("usage rebuild --from 2999-01-01", "has to lie before --to, and before now"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused_with_why(site: Site, words: str, why: str) -> None:
    done = site.app.test_cli_runner().invoke(args=words.split())

    assert done.exit_code in (1, 2)
    assert why in done.output


def test_the_last_month_of_a_year_is_a_month(site: Site) -> None:
    done = site.app.test_cli_runner().invoke(args=["sales", "--month", "2025-12"])

    assert done.exit_code == 0, done.output
