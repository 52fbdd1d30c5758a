"""The second factor of local accounts: an authenticator app, and codes for who lost it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from adapters.local_auth import authenticator
from adapters.local_auth.account import Account
from adapters.local_auth.outbox import request_notice
from adapters.local_auth.tokens import Tokens, new_recovery_codes
from creditcore.domain.credentials import Credential
from creditcore.domain.errors import (
    CodeRefusedError,
    InvalidRequestError,
    SessionEndedError,
    TooManyAttemptsError,
)
from creditcore.domain.identities import Enrolment
from creditcore.ports.clock import Clock
from creditcore.ports.transactions import Transaction, Transactions
from creditcore.ports.vault import Vault


class SecondFactor:
    """Sets up, checks and removes it. Wrong codes pause the account, a thief's too."""

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        tokens: Tokens,
        vault: Vault,
        *,
        issuer: str,
        sends_mail: bool,
    ) -> None:
        self._transactions = transactions
        self._clock = clock
        self._tokens = tokens
        self._vault = vault
        self._issuer = issuer
        self._sends_mail = sends_mail

    def begin(self, account: Account) -> Enrolment:
        """Make a secret; one that was never confirmed is replaced.

        Raises:
            InvalidRequestError: There is one that counts.
        """
        person = account.person
        secret = authenticator.new_secret()
        with self._transactions.begin() as tx:
            credential = _locked(tx, person.id)
            if credential.has_second_factor:
                raise InvalidRequestError("A second factor is set up already.", param="form")
            sealed = self._vault.seal(secret.encode(), context=credential.seal_context)
            tx.credentials.save(replace(credential.without_second_factor(), totp_sealed=sealed))
            tx.commit()
        uri = authenticator.uri(secret, email=person.email, issuer=self._issuer)
        return Enrolment(id=_name_of(sealed), secret=secret, uri=uri)

    def confirm(self, account: Account, enrolment_id: str, code: str) -> tuple[str, ...]:
        """Let the app count, and return ten recovery codes.

        Raises:
            CodeRefusedError: It does not show the right code, or another was begun since.
            TooManyAttemptsError: There were too many wrong codes.
        """
        person = account.person
        codes = new_recovery_codes()
        with self._transactions.begin() as tx:
            credential = self._not_paused(tx, person.id)
            begun = credential.totp_sealed and not credential.has_second_factor
            step = None
            if begun and _name_of(credential.totp_sealed) == enrolment_id:
                step = self._step(credential, code)
            if step is None:
                self._count_failure(tx, credential)
            else:
                changed = replace(
                    credential.succeeded(),
                    totp_since=self._clock.now(),
                    totp_step=step,
                    recovery_hashes=self._hashes(person.id, codes),
                )
                self._save(tx, account, changed, "second_factor_added")
            tx.commit()
        if step is None:
            raise CodeRefusedError
        return codes

    def verify(self, account: Account, code: str) -> Account:
        """Check a code of the app; each works once.

        Raises:
            CodeRefusedError: It is not the code of now, or was used.
            TooManyAttemptsError: There were too many wrong ones.
        """
        with self._transactions.begin() as tx:
            credential = self._not_paused(tx, account.person.id)
            step = self._step(credential, code) if credential.has_second_factor else None
            if step is None or step <= credential.totp_step:
                self._count_failure(tx, credential)
                tx.commit()
                raise CodeRefusedError
            changed = replace(credential.succeeded(), totp_step=step)
            tx.credentials.save(changed)
            tx.commit()
        return replace(account, credential=changed)

    def redeem_recovery_code(self, account: Account, code: str) -> Account:
        """Check one of the ten codes; each works once.

        Raises:
            CodeRefusedError: It is none of them, or was used.
            TooManyAttemptsError: There were too many wrong ones.
        """
        used = self._tokens.recovery_hash(account.person.id, code)
        with self._transactions.begin() as tx:
            credential = self._not_paused(tx, account.person.id)
            if used not in credential.recovery_hashes:
                self._count_failure(tx, credential)
                tx.commit()
                raise CodeRefusedError
            changed = replace(
                credential.succeeded(), recovery_hashes=credential.recovery_hashes - {used}
            )
            self._save(tx, account, changed, "recovery_code_used")
            tx.commit()
        return replace(account, credential=changed)

    def remove(self, account: Account) -> Account:
        """Let the password be enough again."""
        with self._transactions.begin() as tx:
            changed = _locked(tx, account.person.id).without_second_factor()
            self._save(tx, account, changed, "second_factor_removed")
            tx.commit()
        return replace(account, credential=changed)

    def renew_codes(self, account: Account) -> tuple[str, ...]:
        """Return ten new codes in place of those before.

        Raises:
            InvalidRequestError: There is no second factor.
        """
        codes = new_recovery_codes()
        with self._transactions.begin() as tx:
            credential = _locked(tx, account.person.id)
            if not credential.has_second_factor:
                raise InvalidRequestError("Set up a second factor first.", param="form")
            changed = replace(credential, recovery_hashes=self._hashes(account.person.id, codes))
            self._save(tx, account, changed, "recovery_codes_renewed")
            tx.commit()
        return codes

    def note_attempt(self, person_id: str, *, right: bool) -> None:
        """Count an attempt with something else, such as the password of who is signed in."""
        with self._transactions.begin() as tx:
            credential = _locked(tx, person_id)
            if right:
                tx.credentials.save(credential.succeeded())
            else:
                self._count_failure(tx, credential)
            tx.commit()

    def _not_paused(self, tx: Transaction, person_id: str) -> Credential:
        credential = _locked(tx, person_id)
        if left := credential.pause_left(now=self._clock.now()):
            raise TooManyAttemptsError(int(left.total_seconds()) + 1)
        return credential

    def _count_failure(self, tx: Transaction, credential: Credential) -> None:
        tx.credentials.save(credential.failed(at=self._clock.now()))

    def _save(self, tx: Transaction, account: Account, changed: Credential, what: str) -> None:
        tx.credentials.save(changed)
        if self._sends_mail:
            request_notice(tx, what, account.person.email, at=self._clock.now())

    def _step(self, credential: Credential, code: str) -> int | None:
        sealed, context = credential.totp_sealed, credential.seal_context
        secret = self._vault.open(sealed, context=context).decode()
        return authenticator.step_of(secret, code, now=self._clock.now())

    def _hashes(self, person_id: str, codes: tuple[str, ...]) -> frozenset[bytes]:
        return frozenset(self._tokens.recovery_hash(person_id, code) for code in codes)


def _name_of(sealed: bytes) -> str:
    return hashlib.sha256(sealed).hexdigest()[:32]


def _locked(tx: Transaction, person_id: str) -> Credential:
    credential = tx.credentials.lock(person_id)
    if credential is None:
        raise SessionEndedError
    return credential
