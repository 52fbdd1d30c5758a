"""Every field of pages and forms, on PostgreSQL, takes what it cannot store and what no day is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import Rule

from creditcore.domain.people import Role
from tests.integration.test_access_matrix import Access, Site, ask, filled, is_sent_away, routes
from tests.stores import migrated_postgres_database

asked_for: set[str] = set()


class Fields(ImmutableMultiDict[str, Any]):
    """Notes which fields a page looks for."""

    def __getitem__(self, key: str) -> Any:
        asked_for.add(key)
        return super().__getitem__(key)

    def get(self, key: str, *more: Any, **options: Any) -> Any:
        asked_for.add(key)
        return super().get(key, *more, **options)

    def getlist(self, key: str, *more: Any, **options: Any) -> Any:
        asked_for.add(key)
        return super().getlist(key, *more, **options)


class NotingRequest(Request):
    """A request whose fields are noted."""

    parameter_storage_class = Fields


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with migrated_postgres_database() as url:
        site = Site(tmp_path_factory.mktemp("odd"), DATABASE_URL=url)
        site.app.request_class = NotingRequest
        yield site


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
def test_no_value_of_a_field_breaks_a_page(site: Site, role: Role, method: str) -> None:
    values = ["\0", "a\0b", "\udcff", "9" * 30, "9999-12-31", "1e999999"]
    broken, tried, visitor = [], 0, site.visitor(role)
    for rule in rules(site, method, role):
        for name in sorted(fields_of(site, rule, method, role)):
            for value in values if method == "GET" else values[:3]:
                sent = encoded(name, value)
                answer = visitor.client.open(
                    address(rule, visitor.names),
                    method=method,
                    query_string=sent if method == "GET" else None,
                    data=sent if method == "POST" else None,
                    content_type="application/x-www-form-urlencoded",
                )
                tried += 1
                if answer.status_code == 500:
                    broken.append(f"{method} {rule.rule} {name}={value[:9]!r}")
                if is_sent_away(answer):
                    # The act was to end the session, or it asks for a proof.
                    visitor = site.visitor(role)

    assert not broken, "\n".join(broken)
    assert tried > 50


def rules(site: Site, method: str, role: Role) -> list[Rule]:
    is_admin = role is Role.ADMIN
    return [
        rule
        for rule, its_method, access in routes(site)
        if its_method == method and (access is Access.OPERATORS) is is_admin
    ]


def fields_of(site: Site, rule: Rule, method: str, role: Role) -> set[str]:
    visitor = site.visitor(role)
    asked_for.clear()
    ask(visitor.client, rule, method, visitor)
    return asked_for - {"csrf_token"}


def address(rule: Rule, names: dict[str, str]) -> str:
    return filled(
        rule, {"filename": "css/base.css", "method": "google", "act_name": "grant"} | names
    )


def encoded(name: str, value: str) -> str:
    text = value.encode("utf-8", "surrogateescape")
    return f"{name}=" + "".join(f"%{byte:02X}" for byte in text)
