"""What was used by route, hour by hour."""

from __future__ import annotations

import pytest

from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import HOUR, NOTHING_USED, Tally, hour_of, tally_of
from creditcore.ports.transactions import Transactions
from creditcore.ports.usage_hours import FIGURES_OF_ENDPOINTS
from creditcore.testing.contracts.samples import NOON, a_wallet
from creditcore.testing.contracts.usage_hours import ENDS, WHOLE_DAY, Made, make, roll_up


class UsageByEndpointContract:
    """What was used by route, counted by the hour as all usage is."""

    @pytest.mark.parametrize("counted", [0, 1, 5])
    def test_what_calls_came_to_is_told_by_their_route(
        self, transactions: Transactions, counted: int
    ) -> None:
        for wallet_id in ("wallet-1", "wallet-2"):
            a_wallet(transactions, posted=10_000, wallet_id=wallet_id)
        routes = ("/v1/chat/completions", "/v1/messages")
        hours = [Span(hour_of(NOON) + n * HOUR, hour_of(NOON) + (n + 1) * HOUR) for n in (0, 2)]
        expected: dict[tuple[int, str], Tally] = {}
        for number, outcome in enumerate(ENDS):
            at, route = number % 3, routes[number % 2]
            made = Made(
                reference=f"call-{number}", began=NOON + at * HOUR, endpoint=route, outcome=outcome
            )
            tally = tally_of(make(transactions, made))
            if at != 1:
                expected[at // 2, route] = expected.get((at // 2, route), NOTHING_USED) + tally
        make(transactions, Made(reference="other", wallet_id="wallet-2"))

        def told() -> dict[tuple[int, str], Tally]:
            with transactions.begin() as tx:
                found = tx.usage_hours.endpoints("wallet-1", hours)
                assert list(tx.usage_hours.endpoints("wallet-1", [])) == []
            return {(share.span, share.endpoint): share.tally for share in found}

        known = {
            name: Tally(**{figure: getattr(tally, figure) for figure in FIGURES_OF_ENDPOINTS})
            for name, tally in expected.items()
        }
        roll_up(transactions, until=NOON + counted * HOUR)
        assert told() == known
        with transactions.begin() as tx:
            tx.usage_hours.recount(NOON)
            tx.commit()
        assert told() == known
        with transactions.begin() as tx:
            assert tx.usage_hours.differing_hours(WHOLE_DAY, limit=9) == []
