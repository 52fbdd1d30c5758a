"""Seal anew what was sealed under an earlier secret of the server, so that it can be dropped.

Only what has to outlive a change of the secret: codes of saved cards, and secrets of
authenticator apps. Sessions and what waits for browsers end with such a change, and kept answers
after a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from creditcore.domain.credentials import Credential
from creditcore.domain.errors import SealBrokenError
from creditcore.domain.saved_cards import SavedCard
from creditcore.ports.store_ports import Commits, HasCards, HasCredentials
from creditcore.ports.transactions import Begins
from creditcore.ports.vault import Vault

_PAGE = 100


class ResealSecretsTransaction(HasCards, HasCredentials, Commits, Protocol):
    """What sealing secrets anew reads and writes."""


class SealedKind(StrEnum):
    """What is kept sealed for as long as its person wants."""

    SAVED_CARDS = "saved_cards"
    SECOND_FACTORS = "second_factors"


@dataclass(slots=True)
class SealCounts:
    """How many seals of one kind there are.

    Attributes:
        newest: Under the secret of now, also those that were sealed anew just now.
        earlier: Still under an earlier one.
        unreadable: Under none that is known: lost, unless that secret is given again.
    """

    newest: int = 0
    earlier: int = 0
    unreadable: int = 0


Counts = Mapping[SealedKind, SealCounts]


def nothing(_: Counts) -> None:
    """Take no notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResealSecrets:
    """Count seals by the secret they are under, and bring them under the newest.

    One short transaction for each: it can be broken off and run again, also while people pay
    and sign in.
    """

    transactions: Begins[ResealSecretsTransaction]
    vault: Vault

    def count(self) -> Counts:
        """Count, and change nothing."""
        return self._run(reseal=False, progress=nothing)

    def reseal(self, *, progress: Callable[[Counts], None] = nothing) -> Counts:
        """Seal anew what is under an earlier secret; a repeat finds nothing more to do.

        Args:
            progress: Is told after each hundred.
        """
        return self._run(reseal=True, progress=progress)

    def _run(self, *, reseal: bool, progress: Callable[[Counts], None]) -> Counts:
        counts = {kind: SealCounts() for kind in SealedKind}
        for kind, page in self._pages():
            for seal in page:
                self._look_at(seal, counts[kind], reseal=reseal)
            progress(counts)
        return counts

    def _look_at(self, seal: _Seal, count: SealCounts, *, reseal: bool) -> None:
        try:
            fresh = self.vault.reseal(seal.sealed, context=seal.context)
        except SealBrokenError:
            count.unreadable += 1
            return
        if fresh is not None and reseal:
            with self.transactions.begin() as tx:
                seal.write(tx, fresh)
                tx.commit()
        if fresh is None or reseal:
            count.newest += 1
        else:
            count.earlier += 1

    def _pages(self) -> Iterator[tuple[SealedKind, list[_Seal]]]:
        after = ""
        while True:
            with self.transactions.begin() as tx:
                cards = tx.cards.sealed_after(after, limit=_PAGE)
            yield SealedKind.SAVED_CARDS, [_of_card(card) for card in cards]
            if len(cards) < _PAGE:
                break
            after = cards[-1].id
        after = ""
        while True:
            with self.transactions.begin() as tx:
                credentials = tx.credentials.after(after, limit=_PAGE)
            # An app that was never confirmed does not count, and is set up from the beginning.
            found = [_of_credential(row) for row in credentials if row.has_second_factor]
            yield SealedKind.SECOND_FACTORS, found
            if len(credentials) < _PAGE:
                return
            after = credentials[-1].person_id


@dataclass(frozen=True, slots=True)
class _Seal:
    """One seal, and how a fresh one is written.

    Attributes:
        write: Changes nothing where the row was changed meanwhile: that sealed it anew.
    """

    sealed: bytes
    context: str
    write: Callable[[ResealSecretsTransaction, bytes], None]


def _of_card(card: SavedCard) -> _Seal:
    def write(tx: ResealSecretsTransaction, fresh: bytes) -> None:
        locked = tx.cards.lock(card.id, owner_id=card.owner_id)
        if locked.sealed == card.sealed:
            tx.cards.save(locked.resealed(fresh))

    return _Seal(card.sealed, card.seal_context, write)


def _of_credential(credential: Credential) -> _Seal:
    def write(tx: ResealSecretsTransaction, fresh: bytes) -> None:
        locked = tx.credentials.lock(credential.person_id)
        if locked is not None and locked.totp_sealed == credential.totp_sealed:
            tx.credentials.save(replace(locked, totp_sealed=fresh))

    return _Seal(credential.totp_sealed, credential.seal_context, write)
