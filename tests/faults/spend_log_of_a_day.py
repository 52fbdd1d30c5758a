"""A day of calls in two logs that disagree in a few places: ours, and LiteLLM's behind a port.

Neither is ever whole in memory: ours is made by the database, and the other a page at a time.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import psycopg2

from adapters.pony_store import PonyTransactions
from creditcore import Basis
from creditcore.domain.holds import Outcome
from creditcore.domain.spend import Difference
from creditcore.testing.contracts import a_wallet, admit, settle

DAY = timedelta(days=1)
BEGIN = datetime(2026, 11, 28, tzinfo=UTC)
PICODOLLARS = 10_000_000
_USD = 0.00001
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Calls:
    """As many calls as wanted, evenly over the day."""

    number: int

    @cached_property
    def planted(self) -> dict[int, Difference]:
        """Return where the logs disagree: at the seams of windows, pages and batches as well."""
        hour = self.number // 24
        return {
            3: Difference.COST,
            hour: Difference.COST,
            hour * 5 - 1: Difference.UNKNOWN_THERE,
            hour * 7 + 500: Difference.UNKNOWN_THERE,
            hour * 11 + 99: Difference.UNKNOWN_HERE,
            hour * 13: Difference.UNKNOWN_HERE,
            hour * 17 + 100: Difference.UNBILLED,
            self.number - 1: Difference.UNBILLED,
        }

    def name(self, index: int) -> str:
        return f"call-{index:032x}"

    def began(self, index: int) -> datetime:
        return BEGIN + DAY * index / self.number

    def row(self, index: int) -> dict[str, object]:
        """Return a call as LiteLLM's log has it."""
        planted = self.planted.get(index)
        named = self.name(index)
        if planted is Difference.UNKNOWN_THERE:
            # Another key's is in its place.
            named = f"chatcmpl-{index}"
        return {
            "request_id": f"chatcmpl-{index}",
            "metadata": {"litellm_call_id": named},
            "spend": _USD * (2 if planted is Difference.COST else 1),
            "model_group": "demo",
            "startTime": self.began(index).isoformat(),
        }

    def page(self, start: datetime, end: datetime, page: int, size: int) -> dict[str, object]:
        """Return a page of the log, the newest first."""
        first = max(0, -((BEGIN - start) * self.number // DAY))
        last = min(self.number, (end - BEGIN) * self.number // DAY + 1)
        total = max(0, last - first)
        newest = last - 1 - (page - 1) * size
        rows = [self.row(index) for index in range(newest, max(first - 1, newest - size), -1)]
        return {"data": rows, "total": total, "page": page, "total_pages": -(-total // size)}

    def keep(self, store: PonyTransactions, url: str) -> None:
        """Write our side of them: copies of a call that was charged, and of one that was not."""
        a_wallet(store, posted=10**9)
        told = Outcome(basis=Basis.PROVIDER_USAGE, provider_cost_picodollars=PICODOLLARS)
        settle(store, admit(store, 10, reference="charged"), 3, outcome=told)
        settle(store, admit(store, 10, reference="failed"), 0, outcome=Outcome(status=502))
        kinds = (Difference.UNKNOWN_HERE, Difference.UNBILLED)
        unknown, unbilled = (
            [index for index, planted in self.planted.items() if planted is kind] for kind in kinds
        )
        microsecond = timedelta(microseconds=1)
        placed = ((BEGIN - _EPOCH) // microsecond, DAY // microsecond, self.number)
        with closing(psycopg2.connect(url)) as connection:
            cursor = connection.cursor()
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'usage_logs'"
            )
            columns = {name for (name,) in cursor} - {"id", "created_at", "closed_at"}
            others = ", ".join(sorted(columns))
            cursor.execute(
                f"INSERT INTO usage_logs (id, created_at, closed_at, {others})"  # noqa: S608
                " SELECT 'call-' || lpad(to_hex(n), 32, '0'), %s + %s * n / %s,"
                f" %s + %s * n / %s + 3000000, {others} FROM generate_series(0, %s) AS n"
                " JOIN usage_logs ON id = CASE WHEN n = ANY(%s) THEN 'failed' ELSE 'charged' END"
                " WHERE NOT n = ANY(%s)",
                (*placed, *placed, self.number - 1, unbilled, unknown),
            )
            connection.commit()
            connection.autocommit = True
            cursor.execute("VACUUM ANALYZE usage_logs")


@contextmanager
def served(calls: Calls) -> Iterator[str]:
    """Answer ``/spend/logs/v2`` as LiteLLM does; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = {name: value for name, [value] in parse_qs(urlsplit(self.path).query).items()}
            start, end = (
                datetime.fromisoformat(asked[name]).replace(tzinfo=UTC)
                for name in ("start_date", "end_date")
            )
            page = calls.page(start, end, int(asked["page"]), int(asked["page_size"]))
            body = json.dumps(page).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
