"""LiteLLM's log of calls, by its ``/spend/logs/v2``, a page at a time.

Recorded from 1.91.5 and 1.106.4: newest first, at most 100 rows a page, and our name of a call in
``metadata.litellm_call_id`` in both. Rows that are written while pages are read push others on to
the next page, so a row may come twice; none is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from adapters.litellm.admin import AdminClient
from creditcore.domain.errors import SpendLogMissingError, UpstreamUnavailableError
from creditcore.domain.reported_cost import picodollars
from creditcore.domain.spend import SpendRow

_PAGE_SIZE = 100
_MAX_PAGES = 100_000
_FORMAT = "%Y-%m-%d %H:%M:%S"
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class LiteLLMSpendLog:
    """What a LiteLLM proxy with a database says that each call cost."""

    admin: AdminClient

    def rows(self, *, start: datetime, end: datetime) -> Iterator[SpendRow]:
        """Return the calls that began from ``start`` up to ``end``, the newest first.

        Raises:
            UpstreamUnavailableError: There is no log, or the rest of it cannot be had.
        """
        seen: set[str] = set()
        for page in range(1, _MAX_PAGES):
            document = self._page(start, end, page)
            data = document.get("data")
            if not isinstance(data, list):
                raise UpstreamUnavailableError("The model server's log cannot be read.")
            for entry in data:
                row = _row(entry)
                if row is not None and start <= row.started_at < end and row.call_id not in seen:
                    seen.add(row.call_id)
                    yield row
            total = document.get("total_pages")
            if not data or (isinstance(total, int) and page >= total):
                return
        raise UpstreamUnavailableError("The model server's log has no end.")

    def _page(self, start: datetime, end: datetime, page: int) -> dict[str, Any]:
        answer = self.admin.get(
            "/spend/logs/v2",
            {
                # It takes whole seconds: one more on each side, and exactly by the rows.
                "start_date": (start - _SECOND).astimezone(UTC).strftime(_FORMAT),
                "end_date": (end + _SECOND).astimezone(UTC).strftime(_FORMAT),
                "page": str(page),
                "page_size": str(_PAGE_SIZE),
            },
        )
        if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            # Without a database, 1.91.5 says 401: "Prisma Client is not initialized".
            raise SpendLogMissingError
        if answer.status != HTTPStatus.OK:
            raise UpstreamUnavailableError(
                f"The model server answered {answer.status} about its log."
            )
        return answer.document()


def _row(entry: object) -> SpendRow | None:
    """Return a row, or None where it names no call or no time."""
    if not isinstance(entry, dict):
        return None
    metadata = entry.get("metadata")
    named = metadata.get("litellm_call_id") if isinstance(metadata, dict) else None
    call_id = named or entry.get("litellm_call_id") or entry.get("request_id")
    try:
        started_at = datetime.fromisoformat(str(entry.get("startTime")))
    except ValueError:
        return None
    if not isinstance(call_id, str):
        return None
    return SpendRow(
        call_id=call_id,
        picodollars=picodollars(str(entry.get("spend", ""))) or 0,
        model=str(entry.get("model_group") or entry.get("model") or ""),
        prompt_tokens=_count(entry.get("prompt_tokens")),
        completion_tokens=_count(entry.get("completion_tokens")),
        started_at=started_at if started_at.tzinfo else started_at.replace(tzinfo=UTC),
    )


def _count(value: object) -> int:
    return value if type(value) is int and value > 0 else 0
