"""What in a database contradicts the invariants.

Every check is one statement, so it sees one instant also in a transaction that has
read before. A transaction that only audits sees one instant from the first check to
the last.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from creditcore.ports.audit import Breach

from .audit_checks import CHECKS, Check
from .audit_counters import COUNTER_CHECKS
from .session import Session
from .tables.usage_figures import ROLLED_UNTIL

_CHECKS = CHECKS | {"I12": COUNTER_CHECKS}

FORGOTTEN_AFTER_S = 15 * 60
"""A payment that was announced, and not processed for so long, was forgotten."""

_COUNTS = """
    SELECT (SELECT COUNT(*) FROM wallets) AS wallets,
           (SELECT COUNT(*) FROM transfers) AS transfers,
           (SELECT COUNT(*) FROM usage_logs) AS holds,
           (SELECT COUNT(*) FROM transactions) AS purchases
"""


class PonyAudit:
    """Looks for contradictions among everything stored, as of one instant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def breaches(self, invariant: str, *, limit: int) -> Sequence[Breach]:
        """Return rows that break an invariant, at most ``limit``.

        Raises:
            KeyError: There is no such invariant.
        """
        self._freeze()
        found: list[Breach] = []
        for check in _CHECKS[invariant]:
            found += self._run(invariant, check, limit=limit - len(found))
        return found

    def counts(self) -> dict[str, int]:
        self._freeze()
        [row] = self._session.rows(_COUNTS)
        return dict(row._asdict())

    def _run(self, invariant: str, check: Check, *, limit: int) -> list[Breach]:
        long_ago = time.time_ns() // 1000 - FORGOTTEN_AFTER_S * 1_000_000
        rows = self._session.rows(
            check.sql().format(rolled=ROLLED_UNTIL, long_ago=long_ago), (limit,)
        )
        return [
            Breach(
                invariant=invariant,
                row=f"{check.table} {row.name}",
                detail=f"{check.what}: {row.stored} stored, {row.expected} expected",
            )
            for row in rows
        ]

    def _freeze(self) -> None:
        with self._session.translated():
            self._session.engine.freeze(self._session.db.get_connection())
