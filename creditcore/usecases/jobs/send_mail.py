"""Send mails: enqueue them with their cause, render and hand them over in a job."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.errors import InvalidRequestError, MailRefusedError, MailUnavailableError
from creditcore.domain.jobs import Job, storable_text
from creditcore.domain.lease import RetryPolicy
from creditcore.domain.mail import Mail
from creditcore.ports.clock import Clock
from creditcore.ports.mail import Mailer, MailTemplates
from creditcore.ports.store_ports import Commits, HasActivity
from creditcore.ports.transactions import Begins, MailTransaction

SEND_MAIL = "send_mail"
"""The kind of the jobs."""

MAIL_POLICY = RetryPolicy(lease=timedelta(minutes=3))
"""A mail server may take a quarter of a minute for each of half a dozen answers."""

_log = logging.getLogger(__name__)


class SendMailTransaction(HasActivity, MailTransaction, Commits, Protocol):
    """What sending mail reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMail:
    """Send mails to people, never on a request's path.

    Attributes:
        mailer: None where no mail server is configured: nothing is enqueued then.
    """

    transactions: Begins[SendMailTransaction]
    templates: MailTemplates
    mailer: Mailer | None
    clock: Clock

    @property
    def is_configured(self) -> bool:
        """Whether mails leave at all."""
        return self.mailer is not None

    def enqueue(
        self,
        tx: MailTransaction,
        template: str,
        *,
        to: str,
        event: str,
        values: Mapping[str, object],
    ) -> bool:
        """Send a mail once this transaction has committed.

        A repeat of template and event sends nothing more. So does an address that refused
        mails for good, or got too many within the hour: what matters is also shown elsewhere.

        Args:
            tx: The transaction of the cause. The address is locked until it ends: enqueue last.
            template: Names the words, such as ``welcome``.
            to: An address in the form that ``clean_email`` returns.
            event: Names what the mail tells of, unique among those of the template.
            values: What the template needs, as JSON has it. They are kept until the mail
                has left, and erased then.

        Returns:
            Whether a mail will leave because of this.
        """
        if self.mailer is None:
            return False
        now = self.clock.now()
        recipient = tx.mail_recipients.lock(to)
        if not recipient.has_room(now):
            _log.warning("mail %s:%s is not sent: its address has no room", template, event)
            return False
        payload = {"template": template, "to": to, "values": values}
        if not tx.jobs.enqueue(SEND_MAIL, f"{template}:{event}", payload, run_at=now):
            return False
        tx.mail_recipients.save(recipient.count(now))
        return True

    def send(self, job: Job) -> None:
        """Hand over the mail of a job.

        An address that refuses for good is suppressed, and the job is done.

        Raises:
            MailUnavailableError: The server did not take it; to be tried again.
            MailTemplateError: It cannot be rendered.
        """
        values = job.payload["values"]
        assert isinstance(values, Mapping)  # noqa: S101 - as enqueue wrote it
        digest = hashlib.sha256(job.name.encode()).hexdigest()
        self.deliver(str(job.payload["template"]), digest, str(job.payload["to"]), values)

    def deliver(self, template: str, mail_id: str, to: str, values: Mapping[str, object]) -> None:
        """Hand over a mail now, from within a job; what it says is kept nowhere.

        Args:
            template: Names the words.
            mail_id: The same for each attempt.
            to: An address; one that refuses for good is suppressed.
            values: What the template needs.

        Raises:
            MailUnavailableError: The server did not take it; to be tried again.
            MailTemplateError: It cannot be rendered.
        """
        if self.mailer is None or self._is_refused(to):
            return
        content = self.templates.render(template, values)
        try:
            self.mailer.send(Mail(id=mail_id, to=to, content=content))
        except MailRefusedError as error:
            self._suppress(to, str(error))
        except InvalidRequestError as error:
            if error.param != "email":
                raise
            self._suppress(to, str(error))

    def send_test(self, address: str) -> None:
        """Send a mail at once, to see whether it leaves.

        Raises:
            MailError: It did not; the message says why.
        """
        if self.mailer is None:
            raise MailUnavailableError("There is no mail server: MAIL_URL is not set.")
        now = self.clock.now()
        content = self.templates.render("test", {"sent_at": f"{now:%Y-%m-%d %H:%M:%S} UTC"})
        digest = hashlib.sha256(f"test:{address}:{now}".encode()).hexdigest()
        self.mailer.send(Mail(id=digest, to=address, content=content))

    def release(self, address: str, *, actor: Actor = SYSTEM) -> bool:
        """Let mails go to a suppressed address again; return whether it was suppressed."""
        with self.transactions.begin() as tx:
            recipient = tx.mail_recipients.lock(address)
            if recipient.refused_at is None:
                return False
            tx.mail_recipients.save(recipient.release())
            tx.activity.add(
                Activity(
                    actor=actor,
                    act=Act.MAIL_RELEASED,
                    target=f"mail:{address}",
                    before={"refusal": recipient.refusal},
                    at=self.clock.now(),
                )
            )
            tx.commit()
        return True

    def _is_refused(self, address: str) -> bool:
        with self.transactions.begin() as tx:
            return tx.mail_recipients.lock(address).refused_at is not None

    def _suppress(self, address: str, reason: str) -> None:
        _log.warning("an address refuses mail for good: %s", reason)
        with self.transactions.begin() as tx:
            recipient = tx.mail_recipients.lock(address)
            tx.mail_recipients.save(recipient.refuse(storable_text(reason), at=self.clock.now()))
            tx.commit()
