"""Mails, alerts and webhooks that did not arrive."""

from __future__ import annotations

from creditcore.domain.errors.root import CreditcoreError


class WebhookUndeliveredError(CreditcoreError):
    """A program that a key names did not take a message this time."""


class AlertsUndeliveredError(CreditcoreError):
    """Those who are to hear of alerts were not told; the message says why."""


class MailError(CreditcoreError):
    """A mail did not leave."""


class MailRefusedError(MailError):
    """The mailbox does not exist, or takes no mail: it would be refused again."""


class MailUnavailableError(MailError):
    """The mail server did not take it this time."""


class MailTemplateError(MailError):
    """A template is missing, or a value that it needs."""
