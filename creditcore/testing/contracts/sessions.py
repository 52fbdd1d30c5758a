"""Sessions of this site."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from creditcore.domain.errors import ReferenceConflictError
from creditcore.domain.people import Person
from creditcore.domain.sessions import Device, Session, Stage, secret_hash
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON


def a_session(name: str = "s-1", *, person_id: str = "p-1") -> Session:
    """Return an open session whose cookie holds its name."""
    return Session(
        id=name,
        secret_hash=secret_hash(name),
        person_id=person_id,
        epoch=0,
        device=Device(name="Firefox on Linux", place="41.90.64.0/24"),
        created_at=NOON,
        last_seen_at=NOON,
        proved_at=NOON,
    )


class SessionsContract:
    """Sessions of this site."""

    @pytest.fixture
    def sessions(self, transactions: Transactions) -> Transactions:
        with transactions.begin() as tx:
            for name in ("p-1", "p-2"):
                tx.people.add(Person(id=name, email=f"{name}@example.com", created_at=NOON))
            tx.commit()
        return transactions

    def test_a_session_comes_back_as_stored(self, sessions: Transactions) -> None:
        full = replace(
            a_session(),
            stage=Stage.NEW_PASSWORD,
            epoch=2**40,
            provider_session_id="9b2e",
            sealed_grant=b"\x00sealed\xff",
            good_until=NOON + MINUTE,
            refreshing_until=NOON,
        )
        with sessions.begin() as tx:
            tx.sessions.add(full)
            tx.commit()

        with sessions.begin() as tx:
            assert tx.sessions.find(secret_hash("s-1")) == full
            assert tx.sessions.lock("s-1", person_id="p-1") == full
            assert tx.sessions.lock("s-1", person_id="p-2") is None
            assert tx.sessions.find(secret_hash("s-2")) is None

    def test_a_changed_session_comes_back_as_saved(self, sessions: Transactions) -> None:
        changed = replace(
            a_session(),
            stage=Stage.SECOND_FACTOR,
            last_seen_at=NOON + MINUTE,
            proved_at=NOON + MINUTE,
            sealed_grant=b"other",
        )
        with sessions.begin() as tx:
            tx.sessions.add(a_session())
            tx.sessions.save(changed)
            tx.commit()

        with sessions.begin() as tx:
            assert tx.sessions.find(secret_hash("s-1")) == changed
            tx.sessions.save(changed.end(at=NOON))
            assert tx.sessions.find(secret_hash("s-1")) == changed.end(at=NOON)

    def test_two_sessions_have_two_secrets(self, sessions: Transactions) -> None:
        with pytest.raises(ReferenceConflictError), sessions.begin() as tx:
            tx.sessions.add(a_session())
            tx.sessions.add(replace(a_session(), secret_hash=secret_hash("other")))
            tx.commit()

    def test_use_is_noted_forwards_only(self, sessions: Transactions) -> None:
        with sessions.begin() as tx:
            tx.sessions.add(a_session())
            tx.sessions.touch("s-1", at=NOON + MINUTE)
            tx.sessions.touch("s-1", at=NOON)
            tx.sessions.touch("s-2", at=NOON)
            tx.commit()

        with sessions.begin() as tx:
            found = tx.sessions.find(secret_hash("s-1"))
        assert found == replace(a_session(), last_seen_at=NOON + MINUTE)

    def test_sessions_end_but_perhaps_one(self, sessions: Transactions) -> None:
        with sessions.begin() as tx:
            for name in ("s-1", "s-2", "s-3"):
                tx.sessions.add(replace(a_session(name), sealed_grant=b"tokens"))
            tx.sessions.add(a_session("s-4", person_id="p-2"))
            tx.sessions.touch("s-2", at=NOON + MINUTE)
            tx.commit()

        with sessions.begin() as tx:
            listed = [row.id for row in tx.sessions.open_of("p-1")]
            ended = tx.sessions.end_all("p-1", at=NOON + MINUTE, but="s-2")
            again = tx.sessions.end_all("p-1", at=NOON + 2 * MINUTE, but="s-2")
            left = [row.id for row in tx.sessions.open_of("p-1")]
            gone = tx.sessions.find(secret_hash("s-1"))
            others = [row.id for row in tx.sessions.open_of("p-2")]

        assert listed == ["s-2", "s-3", "s-1"]
        assert (ended, again) == (2, 0)
        assert left == ["s-2"]
        assert others == ["s-4"]
        assert gone
        assert gone.ended_at == NOON + MINUTE
        assert gone.sealed_grant == b""

    def test_old_sessions_are_forgotten(self, sessions: Transactions) -> None:
        with sessions.begin() as tx:
            for name in ("s-1", "s-2", "s-3"):
                tx.sessions.add(a_session(name))
            tx.sessions.touch("s-3", at=NOON + timedelta(days=1))
            forgotten = [tx.sessions.forget(unused_since=NOON + MINUTE, limit=1) for _ in range(3)]
            left = [row.id for row in tx.sessions.open_of("p-1")]

        assert forgotten == [1, 1, 0]
        assert left == ["s-3"]
