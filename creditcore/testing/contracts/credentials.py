"""Local accounts and the links that were mailed to their owners."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from creditcore.domain.credentials import Credential, MailedLink
from creditcore.domain.errors import ReferenceConflictError
from creditcore.domain.identities import LinkKind
from creditcore.domain.people import Person
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON, at_once


def a_link(name: str = "l-1", kind: LinkKind = LinkKind.RECOVERY) -> MailedLink:
    """Return a link to a person."""
    return MailedLink(id=name, kind=kind, person_id="p-1", email="p-1@example.com", created_at=NOON)


class CredentialsContract:
    """Local accounts."""

    @pytest.fixture
    def credentials(self, transactions: Transactions) -> Transactions:
        with transactions.begin() as tx:
            tx.people.add(Person(id="p-1", email="p-1@example.com", created_at=NOON))
            tx.commit()
        return transactions

    def test_a_credential_comes_back_as_saved(self, credentials: Transactions) -> None:
        bare = Credential(person_id="p-1")
        full = Credential(
            person_id="p-1",
            password_hash="$argon2id$...",
            confirmed_at=NOON,
            banned_until=NOON + MINUTE,
            totp_sealed=b"\x00\xff",
            totp_since=NOON,
            totp_step=58_000_000,
            recovery_hashes=frozenset({b"\x01" * 32, b"\x02" * 32}),
            new_email="new@example.com",
            failures=3,
            paused_until=NOON + MINUTE,
        )
        for stored in (bare, full, bare):
            with credentials.begin() as tx:
                tx.credentials.save(stored)
                tx.commit()
            with credentials.begin() as tx:
                assert tx.credentials.find("p-1") == stored
                assert tx.credentials.lock("p-1") == stored
                assert tx.credentials.find("p-2") is None

    def test_credentials_follow_each_other_by_id(self, credentials: Transactions) -> None:
        with credentials.begin() as tx:
            for name in ("p-2", "p-3"):
                tx.people.add(Person(id=name, email=f"{name}@example.com", created_at=NOON))
            for name in ("p-3", "p-1", "p-2"):
                tx.credentials.save(Credential(person_id=name))
            tx.commit()

        with credentials.begin() as tx:
            pages = [tx.credentials.after(last, limit=2) for last in ("", "p-2", "p-3")]
        assert [[row.person_id for row in page] for page in pages] == [["p-1", "p-2"], ["p-3"], []]

    def test_a_link_comes_back_as_stored(self, credentials: Transactions) -> None:
        with credentials.begin() as tx:
            tx.credentials.add_link(a_link())
            tx.commit()

        with credentials.begin() as tx:
            assert tx.credentials.find_link("l-1") == a_link()
            assert tx.credentials.lock_link("l-1") == a_link()
            assert tx.credentials.find_link("l-2") is None
            tx.credentials.save_link(a_link().close(at=NOON))
            assert tx.credentials.find_link("l-1") == a_link().close(at=NOON)

    def test_a_link_has_a_name_of_its_own(self, credentials: Transactions) -> None:
        with pytest.raises(ReferenceConflictError), credentials.begin() as tx:
            tx.credentials.add_link(a_link())
            tx.credentials.add_link(a_link())
            tx.commit()

    def test_a_link_is_used_once_also_at_once(self, credentials: Transactions) -> None:
        with credentials.begin() as tx:
            tx.credentials.add_link(a_link())
            tx.commit()

        def use(_: int) -> bool:
            with credentials.begin() as tx:
                link = tx.credentials.lock_link("l-1")
                assert link
                if not link.works(LinkKind.RECOVERY, now=NOON):
                    return False
                tx.credentials.save_link(link.close(at=NOON))
                tx.commit()
            return True

        assert sorted(at_once(4, use), key=str) == [False, False, False, True]

    def test_newer_links_close_older_ones(self, credentials: Transactions) -> None:
        with credentials.begin() as tx:
            tx.credentials.add_link(a_link("l-1"))
            tx.credentials.add_link(replace(a_link("l-2"), created_at=NOON + MINUTE))
            tx.credentials.add_link(a_link("l-3", LinkKind.SIGN_UP))
            newest = tx.credentials.newest_link("p-1", LinkKind.RECOVERY)
            none = tx.credentials.newest_link("p-1", LinkKind.INVITE)
            tx.credentials.close_links("p-1", at=NOON, kind=LinkKind.RECOVERY)
            states = [tx.credentials.find_link(f"l-{number}") for number in (1, 2, 3)]
            tx.credentials.close_links("p-1", at=NOON)
            last = tx.credentials.find_link("l-3")

        assert newest
        assert newest.id == "l-2"
        assert none is None
        assert [link and link.closed_at for link in states] == [NOON, NOON, None]
        assert last == a_link("l-3", LinkKind.SIGN_UP).close(at=NOON)

    def test_an_account_is_forgotten_with_its_links(self, credentials: Transactions) -> None:
        with credentials.begin() as tx:
            tx.credentials.save(Credential(person_id="p-1"))
            tx.credentials.add_link(a_link())
            tx.credentials.delete("p-1")
            tx.credentials.delete("p-2")
            assert tx.credentials.find("p-1") is None
            assert tx.credentials.find_link("l-1") is None

    def test_old_links_are_forgotten(self, credentials: Transactions) -> None:
        with credentials.begin() as tx:
            tx.credentials.add_link(a_link("l-1"))
            tx.credentials.add_link(replace(a_link("l-2"), created_at=NOON + timedelta(days=1)))
            forgotten = [
                tx.credentials.forget_links(created_before=NOON + MINUTE, limit=5) for _ in range(2)
            ]
            left = tx.credentials.find_link("l-2")

        assert forgotten == [1, 0]
        assert left
