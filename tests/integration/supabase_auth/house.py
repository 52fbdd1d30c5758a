"""The adapter and the stand-in, over real HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.supabase_auth import ApiKey, GoTrueClient, SupabaseIdentityProvider, SupabaseOperators
from creditcore.domain.errors import CreditcoreError
from creditcore.domain.identities import LinkKind, Method
from creditcore.domain.people import clean_email
from creditcore.ports.transactions import Transactions
from creditcore.system import SystemClock
from creditcore.testing.memory import MemoryTransactions
from tests.integration.supabase_sandbox.project import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    SITE,
    SupabaseProject,
)

ANNA = "anna@example.com"
CALLBACK = "https://app.example.com/auth/callback"


@dataclass
class SupabaseHouse:
    """A project without people, as the contract of identity wants it."""

    project: SupabaseProject
    provider: SupabaseIdentityProvider
    operators: SupabaseOperators

    def token(self, email: str, kind: LinkKind) -> str | None:
        mails = self.project.mails(clean_email(email), kind.value)
        return str(mails[0]["token_hash"]) if mails else None

    def now(self) -> datetime:
        return datetime.now(UTC)


def a_house(project: SupabaseProject) -> SupabaseHouse:
    """Return the adapter, pointed at a project."""
    return SupabaseHouse(project, a_provider(project), an_operator(project))


def a_provider(
    project: SupabaseProject,
    key: str = PUBLISHABLE_KEY,
    *,
    transactions: Transactions | None = None,
) -> SupabaseIdentityProvider:
    return SupabaseIdentityProvider(
        GoTrueClient(project.url, ApiKey(key)),
        SystemClock(),
        transactions or MemoryTransactions(),
        base_url=SITE,
        methods=frozenset({Method.GOOGLE, Method.GITHUB}),
        linking=True,
        site_name="Jua AI",
    )


def an_operator(project: SupabaseProject, key: str = SECRET_KEY) -> SupabaseOperators:
    client = GoTrueClient(project.url, ApiKey(key))
    return SupabaseOperators(client, SystemClock(), base_url=SITE)


def outcomes(calls: int, act: object) -> list[object]:
    """Call something at once, so often; return the results and the errors."""

    def run(_: int) -> object:
        try:
            return act()  # type: ignore[operator]
        except CreditcoreError as error:
            return type(error)

    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(run, range(calls)))
