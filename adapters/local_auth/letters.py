"""The mails of local accounts, written by a worker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from adapters.local_auth.tokens import Tokens
from creditcore.domain.credentials import MailedLink
from creditcore.domain.identities import LinkKind
from creditcore.domain.jobs import Job
from creditcore.domain.people import Person
from creditcore.ports.clock import Clock
from creditcore.ports.transactions import Transaction, Transactions

_HAPPENED = {
    "password_changed": "The password was changed, and all other sessions were ended.",
    "second_factor_added": "Signing in asks for a code of an authenticator app from now on.",
    "second_factor_removed": "The second factor was turned off: the password alone lets in.",
    "recovery_code_used": "One of the recovery codes was used to sign in.",
    "recovery_codes_renewed": "New recovery codes were made; the old ones work no more.",
}

_NOT_AGAIN_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail to be rendered and handed over.

    Attributes:
        id: The same for each attempt to send it.
        template: Names the words.
    """

    id: str
    template: str
    to: str
    values: dict[str, object]


class WriteLetters:
    """Does the jobs ``mail_link`` and ``mail_notice``.

    Here, far from the visitor who asked, it is found out whether there is an account.
    """

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        tokens: Tokens,
        *,
        base_url: str,
        send: Callable[[str, str, str, Mapping[str, object]], None],
    ) -> None:
        """Prepare.

        Args:
            transactions: Where accounts and links are kept.
            clock: Dates links.
            tokens: Makes what a link carries, as it is mailed.
            base_url: Where the links lead.
            send: Hands a mail over, by template, id, address and values; or raises, so that the
                job is tried again.
        """
        self._transactions = transactions
        self._clock = clock
        self._tokens = tokens
        self._base_url = base_url
        self._send = send

    def write(self, job: Job) -> None:
        """Mail what a job asks for, if there is an account for it; a repeat mails the same."""
        kind, email = LinkKind(str(job.payload["kind"])), str(job.payload["email"])
        with self._transactions.begin() as tx:
            letters = self._letters(tx, kind, email, job)
            tx.commit()
        for letter in letters:
            self._hand_over(letter)

    def notify(self, job: Job) -> None:
        """Mail what happened to an account; a repeat mails the same."""
        values: dict[str, object] = {
            "what": _HAPPENED[str(job.payload["what"])],
            "security_url": f"{self._base_url}/dashboard/security",
        }
        to = str(job.payload["email"])
        letter = Letter(
            id=_letter_id(job, "told"), template="account_changed", to=to, values=values
        )
        self._hand_over(letter)

    def _hand_over(self, letter: Letter) -> None:
        self._send(letter.template, letter.id, letter.to, letter.values)

    def _letters(self, tx: Transaction, kind: LinkKind, email: str, job: Job) -> list[Letter]:
        if kind is LinkKind.EMAIL_CHANGE:
            return self._change_letters(tx, email, job)
        person = tx.people.find_by_email(email)
        credential = tx.credentials.find(person.id) if person else None
        if person is None or credential is None or person.blocked:
            return []
        confirmed = credential.confirmed_at is not None
        if confirmed and kind is LinkKind.SIGN_UP:
            return [self._known(job, email)] if job.payload["new_account"] else []
        if confirmed and kind is LinkKind.INVITE:
            return []
        return self._with_link(tx, kind, person, email, job)

    def _change_letters(self, tx: Transaction, email: str, job: Job) -> list[Letter]:
        person = tx.people.find(str(job.payload["person_id"]))
        credential = tx.credentials.find(person.id) if person else None
        if person is None or credential is None or credential.new_email != email:
            return []
        told = Letter(
            id=_letter_id(job, "told"),
            template="email_change_asked",
            to=person.email,
            values={"new_email": email, "security_url": f"{self._base_url}/dashboard/security"},
        )
        if tx.people.find_by_email(email) is not None:
            # Its owner is no concern of the visitor who asked, and they are told nothing.
            return [told]
        return [told, *self._with_link(tx, LinkKind.EMAIL_CHANGE, person, email, job)]

    def _with_link(
        self, tx: Transaction, kind: LinkKind, person: Person, email: str, job: Job
    ) -> list[Letter]:
        now = self._clock.now()
        link_id = self._tokens.link_id(job.name)
        link = tx.credentials.find_link(link_id)
        if link is None:
            newest = tx.credentials.newest_link(person.id, kind)
            if newest and newest.email == email and now - newest.created_at < _NOT_AGAIN_WITHIN:
                return []
            tx.credentials.close_links(person.id, at=now, kind=kind)
            link = MailedLink(
                id=link_id, kind=kind, person_id=person.id, email=email, created_at=now
            )
            tx.credentials.add_link(link)
        values: dict[str, object] = {
            "url": self._address(link, str(job.payload["next"])),
            "minutes": link.lifetime // timedelta(minutes=1),
            "days": link.lifetime.days,
        }
        template = f"link_{kind}"
        return [Letter(id=_letter_id(job, "link"), template=template, to=email, values=values)]

    def _known(self, job: Job, email: str) -> Letter:
        values: dict[str, object] = {
            "sign_in_url": f"{self._base_url}/sign-in",
            "recover_url": f"{self._base_url}/recover",
        }
        return Letter(
            id=_letter_id(job, "known"), template="account_exists", to=email, values=values
        )

    def _address(self, link: MailedLink, next_path: str) -> str:
        query = {"token_hash": self._tokens.of_link(link), "type": str(link.kind)}
        if next_path:
            query["next"] = next_path
        return f"{self._base_url}/auth/confirm?{urlencode(query)}"


def _letter_id(job: Job, part: str) -> str:
    return hashlib.sha256(f"{job.name}:{part}".encode()).hexdigest()
