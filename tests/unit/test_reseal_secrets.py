"""After a change of the secret, what has to outlive it is sealed anew, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.vault import AesVault
from creditcore.domain.credentials import Credential
from creditcore.domain.people import Person
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts import NOON
from creditcore.testing.contracts.cards import CARD
from creditcore.usecases.people.reseal_secrets import (
    Counts,
    ResealSecrets,
    SealCounts,
    SealedKind,
)

OLD, NEW, LOST = (f"{name} secret of at least 32 characters" for name in ("old", "new", "lost"))
ROTATING = AesVault(NEW, previous_secrets=[OLD])


@pytest.fixture
def rotated(any_store: Transactions) -> Transactions:
    """150 cards and one app under the old secret, one card of each under the new and a lost one."""
    old, new, lost = AesVault(OLD), AesVault(NEW), AesVault(LOST)
    with any_store.begin() as tx:
        for number in range(150):
            _save_card(tx, f"card-{number:03}", old)
        _save_card(tx, "card-new", new)
        _save_card(tx, "card-lost", lost)
        for name, since in (("p-1", NOON), ("p-2", None)):
            tx.people.add(Person(id=name, email=f"{name}@example.com", created_at=NOON))
            credential = Credential(person_id=name, totp_since=since)
            sealed = old.seal(b"APP", context=credential.seal_context)
            tx.credentials.save(replace(credential, totp_sealed=sealed))
        tx.commit()
    return any_store


def _save_card(tx: object, name: str, vault: AesVault) -> None:
    card = replace(CARD, id=name, owner_id=name, removed_at=NOON if name == "card-001" else None)
    sealed = vault.seal(f"code of {name}".encode(), context=card.seal_context)
    tx.cards.save(replace(card, sealed=sealed))  # type: ignore[attr-defined]


def cards_of(counts: Counts) -> tuple[int, int, int]:
    found = counts[SealedKind.SAVED_CARDS]
    return found.newest, found.earlier, found.unreadable


def test_everything_that_counts_is_sealed_anew_once(rotated: Transactions) -> None:
    work = ResealSecrets(transactions=rotated, vault=ROTATING)
    before = work.count()

    done, again = work.reseal(), work.reseal()

    assert cards_of(before) == (1, 150, 1)
    assert before[SealedKind.SECOND_FACTORS] == SealCounts(earlier=1)
    assert done == again == work.count()
    assert cards_of(done) == (151, 0, 1)
    assert done[SealedKind.SECOND_FACTORS] == SealCounts(newest=1)
    newest = AesVault(NEW)
    with rotated.begin() as tx:
        for number in range(150):
            name = f"card-{number:03}"
            card = tx.cards.find(name, owner_id=name)
            assert newest.open(card.sealed, context=card.seal_context) == f"code of {name}".encode()
        credential = tx.credentials.find("p-1")
        assert credential is not None
        assert newest.open(credential.totp_sealed, context="totp:p-1") == b"APP"
        lost = tx.cards.find("card-lost", owner_id="card-lost")
    assert AesVault(LOST).open(lost.sealed, context=lost.seal_context) == b"code of card-lost"


def test_broken_off_it_goes_on_where_it_was(rotated: Transactions) -> None:
    work = ResealSecrets(transactions=rotated, vault=ROTATING)

    def break_off(_: Counts) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work.reseal(progress=break_off)

    assert cards_of(work.count()) == (101, 50, 1)
    assert cards_of(work.reseal()) == (151, 0, 1)


def test_a_card_that_changes_meanwhile_keeps_the_change(rotated: Transactions) -> None:
    class PaysMeanwhile(AesVault):
        def reseal(self, sealed: bytes, *, context: str) -> bytes | None:
            if context == "card:card-000":
                with rotated.begin() as tx:
                    card = tx.cards.lock("card-000", owner_id="card-000")
                    newer = self.seal(b"newer code", context=context)
                    tx.cards.save(replace(card, sealed=newer))
                    tx.commit()
            return super().reseal(sealed, context=context)

    vault = PaysMeanwhile(NEW, previous_secrets=[OLD])

    ResealSecrets(transactions=rotated, vault=vault).reseal()

    with rotated.begin() as tx:
        card = tx.cards.find("card-000", owner_id="card-000")
    assert vault.open(card.sealed, context=card.seal_context) == b"newer code"
