"""How long pages take on the server, for a customer with half of all calls there are."""

from __future__ import annotations

import importlib
import os
import runpy
import secrets
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from adapters.flask_web.context import SERVICES
from bench.half_year import HalfYear
from bench.installs import say
from bench.place import REPOSITORY, Place
from bench.postgres import Postgres
from creditcore.domain.identities import SignedIn
from creditcore.domain.keys import Scope
from creditcore.domain.people import Person, Role
from creditcore.domain.sessions import Device
from creditcore.services import Services

MOST_MS = 200.0
"""What a page may take at p95."""

_KEYS = 6
_ZONE = "Africa/Nairobi"
_WARM_UPS = 3
_EMAIL, _PASSWORD = "half-a-year@example.com", "correct horse battery"


@dataclass(frozen=True, slots=True)
class PageTimes:
    """How long a page took.

    Attributes:
        calls: How many there were in the books.
        python_ms: The processor time of this process alone, its median: without the database.
        kilobytes: Its answer, not compressed.
    """

    page: str
    calls: int
    p50_ms: float
    p95_ms: float
    most_ms: float
    python_ms: float
    kilobytes: int

    def as_document(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return asdict(self)


def measure_pages(
    server: Postgres, place: Place, *, calls: Sequence[int], repeats: int
) -> list[PageTimes]:
    """Measure every page with each number of calls in the books."""
    found = []
    for count in sorted(calls):
        books = HalfYear(server, calls=count)
        app = _app(books.url, place.run / f"pages-{secrets.token_hex(4)}")
        visit = _visit(app, books)
        say(f"pages: measuring with {count:,} calls")
        found += [
            _times(page, count, ask, repeats=repeats) for page, ask in _pages(app, visit).items()
        ]
        books.drop()
    return found


def _app(url: str, folder: Path) -> Flask:
    """Return the gateway in this process; nothing behind it answers."""
    folder.mkdir(parents=True)
    environ = {
        "APP_ENV": "development",
        "AUTH_SECRET": secrets.token_hex(32),
        "POSTGRES_URL": url,
        "DATA_DIR": str(folder),
        "PAYSTACK_SECRET_KEY": "sk_test_sandbox",
        "PAYSTACK_BASE_URL": "http://127.0.0.1:9",
        "LITELLM_BASE_URL": "http://127.0.0.1:9",
        "LITELLM_MASTER_KEY": "sk-bench",
        "LOG_LEVEL": "warning",
        "SIGNUP_CREDITS": "1000000",
        "SIGNUP_CREDITS_PER_DAY": "1000000000000",
    }
    # Importing the composition root builds a gateway of the environment.
    os.environ.update(environ)
    app: Flask = importlib.import_module("wsgi").build(environ)
    # As in a worker: else a search through the program itself is measured with some page.
    runpy.run_path(str(REPOSITORY / "gunicorn.conf.py"))["_look_for_garbage_among_what_is_new"]()
    return app


@dataclass(frozen=True, slots=True)
class _Visit:
    """Who asks for pages.

    Attributes:
        client: With the session of the customer.
        operator: With that of an operator.
        authorization: Of a key that may read the account.
    """

    client: FlaskClient
    operator: FlaskClient
    authorization: Mapping[str, str]
    key_id: str
    call_id: str


def _visit(app: Flask, books: HalfYear) -> _Visit:
    services: Services = app.extensions[SERVICES]
    customer = _welcomed(services, _EMAIL, Role.USER)
    issue = services.keys.issuing.issue
    keys = [issue(customer.id, name=f"key {number}")[0] for number in range(_KEYS)]
    _, reader = issue(customer.id, name="reader", scopes=[Scope.ACCOUNT_READ])
    books.fill(keys[0].wallet_id, [key.id for key in keys], services.books.usage.roll_up)
    with services.transactions.begin() as tx:
        [latest] = tx.calls.recent(keys[0].wallet_id, limit=1)
    return _Visit(
        client=_client(app, services, customer, _EMAIL),
        operator=_client(
            app, services, _welcomed(services, f"o-{_EMAIL}", Role.ADMIN), f"o-{_EMAIL}"
        ),
        authorization={"authorization": f"Bearer {reader.text}"},
        key_id=keys[0].id,
        call_id=latest.reference,
    )


def _welcomed(services: Services, email: str, role: Role) -> Person:
    identity = services.operators.create(email, _PASSWORD, confirmed=True)
    person = services.people.welcome.welcome(identity)
    services.people.profiles.place(person.id, _ZONE)
    return services.people.roles.grant(person.id, role)


def _client(app: Flask, services: Services, person: Person, email: str) -> FlaskClient:
    signed_in = services.identity.sign_in(email, _PASSWORD)
    if not isinstance(signed_in, SignedIn):
        raise TypeError(f"signing in led to {signed_in!r}")
    begun = services.people.sessions.begin(person, signed_in, device=Device())
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = begun.secret, True
    return client


def _pages(app: Flask, visit: _Visit) -> dict[str, Callable[[], int]]:
    """Return what asks for each page, by its name in the report; each returns its length."""
    now = datetime.now(UTC)

    def ago(days: int) -> str:
        return f"{now - timedelta(days=days):%Y-%m-%d}"

    half_year = f"range=custom&from={ago(179)}&to={ago(0)}"
    middle = f"{(now - timedelta(days=90)).timestamp():.0f}"
    quarter = f"range=custom&from={ago(91)}&to={ago(0)}"
    analytics, calls = "/dashboard/analytics?range=", "/dashboard/calls"
    of_customer = {
        "home": "/dashboard",
        "analytics, 24 hours": f"{analytics}24h",
        "analytics, 7 days": f"{analytics}7d",
        "analytics, 30 days": f"{analytics}30d",
        "analytics, 30 days by key": f"{analytics}30d&group=key",
        "analytics, 92 days": f"/dashboard/analytics?{quarter}",
        "analytics, 180 days": f"/dashboard/analytics?{half_year}",
        "analytics, 180 days of a key": f"/dashboard/analytics?{half_year}&key={visit.key_id}",
        "analytics, 180 days of a model": f"/dashboard/analytics?{half_year}&model=bench-model-1",
        "what if": "/dashboard/analytics/what-if",
        "calls": calls,
        "calls, a page in the middle": f"{calls}?older={middle}000000~x",
        "calls of 180 days": f"{calls}?{half_year}",
        "calls of a day": f"{calls}?range=custom&from={ago(90)}&to={ago(90)}",
        "calls that failed": f"{calls}?outcome=failed",
        "calls that were cancelled: none": f"{calls}?outcome=cancelled",
        "calls of a key and a model": f"{calls}?key={visit.key_id}&model=bench-model-1",
        "calls above a cost": f"{calls}?min_cost=0.0009",
        "calls above a cost: none": f"{calls}?min_cost=100",
        "calls above a cost, 180 days: none": f"{calls}?{half_year}&min_cost=100",
        "calls by the start of an id": f"{calls}?q=bench-call-00000",
        "calls by an id: none": f"{calls}?q=no-such-call",
        "refused calls": f"{calls}/refused",
        "the receipt of a call": f"/dashboard/calls/{visit.call_id}",
        "keys": "/dashboard/keys",
        "a key": f"/dashboard/keys/{visit.key_id}",
        "billing": "/dashboard/billing",
        "statement": "/dashboard/billing/statement",
        "playground": "/dashboard/playground",
        "teams": "/dashboard/team",
        "general": "/dashboard/general",
        "security": "/dashboard/security",
        "activity": "/dashboard/security/activity",
        "search": "/dashboard/search?q=bench-model",
    }
    of_operator = {
        "admin: overview": "/admin",
        "admin: people": "/admin/people",
        "admin: search": "/admin/search?q=bench-person-7",
        "admin: failures": "/admin/failures?range=30d",
        "admin: models": "/admin/models",
        "admin: monitoring": "/admin/monitoring",
    }
    since = f"{now - timedelta(days=179):%Y-%m-%dT00:00:00Z}"
    month = f"{now - timedelta(days=30):%Y-%m-%dT00:00:00Z}"
    of_program = {
        "api: usage by day, 180 days": f"/api/v1/usage?since={since}&zone={_ZONE}",
        "api: usage by hour, 30 days": f"/api/v1/usage?group_by=hour&since={month}",
        "api: usage by model, 180 days": f"/api/v1/usage?group_by=model&since={since}",
        "api: usage by endpoint, 30 days": f"/api/v1/usage?group_by=endpoint&since={month}",
        "api: calls": "/api/v1/calls",
        "api: transactions": "/api/v1/transactions",
        "api: keys": "/api/v1/keys",
    }
    asked = {
        **{page: (visit.client, path, {}) for page, path in of_customer.items()},
        **{page: (visit.operator, path, {}) for page, path in of_operator.items()},
        **{
            page: (app.test_client(), path, visit.authorization)
            for page, path in of_program.items()
        },
    }
    return {page: _asker(*how) for page, how in asked.items()}


def _asker(client: FlaskClient, path: str, headers: Mapping[str, str]) -> Callable[[], int]:
    def ask() -> int:
        answer = client.get(path, headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        return len(answer.data)

    return ask


def _times(page: str, calls: int, ask: Callable[[], int], *, repeats: int) -> PageTimes:
    for _ in range(_WARM_UPS):
        length = ask()
    took, busy = zip(*_repeated(ask, repeats), strict=True)
    return PageTimes(
        page=page,
        calls=calls,
        p50_ms=statistics.median(took),
        p95_ms=statistics.quantiles(took, n=20)[-1],
        most_ms=max(took),
        python_ms=statistics.median(busy),
        kilobytes=length // 1024,
    )


def _repeated(ask: Callable[[], int], repeats: int) -> Iterator[tuple[float, float]]:
    for _ in range(repeats):
        began, busy = time.perf_counter(), time.process_time()
        ask()
        yield (time.perf_counter() - began) * 1000, (time.process_time() - busy) * 1000
