"""Mail through any SMTP server, from Jinja templates."""

from __future__ import annotations

from adapters.smtp_mail.address import MailServer
from adapters.smtp_mail.mailer import SmtpMailer
from adapters.smtp_mail.templates import JinjaTemplates

__all__ = ["JinjaTemplates", "MailServer", "SmtpMailer"]
