"""What mails say.

``templates/<name>.txt`` has the subject on its first line; ``<name>.html`` stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    pass_context,
    select_autoescape,
)
from jinja2.runtime import Context

from creditcore.domain.errors import MailTemplateError
from creditcore.domain.mail import MAX_SUBJECT_LENGTH, MailContent

_SUBJECT = "Subject: "


class JinjaTemplates:
    """Templates that all know the site; a value that a template names must be given."""

    def __init__(self, site: Mapping[str, object]) -> None:
        """Read templates from this package.

        Args:
            site: What every mail may name: ``name``, ``base_url``, ``support_email`` and so on.
        """
        self._jinja = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            # By the end of the name: HTML is escaped, text stays as it is.
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.globals |= {"site": dict(site), "page": _page}

    def render(self, template: str, values: Mapping[str, object]) -> MailContent:
        try:
            subject, _, text = (
                self._jinja.get_template(f"{template}.txt").render(values).partition("\n")
            )
            html = self._jinja.get_template(f"{template}.html").render(values)
        except TemplateError as error:
            raise MailTemplateError(f"The mail {template!r} cannot be written: {error}") from error
        if not subject.startswith(_SUBJECT):
            raise MailTemplateError(f"The mail {template!r} has no subject on its first line.")
        # A name in the subject may be long, or hold a line break that ends the line early.
        subject = " ".join(subject.removeprefix(_SUBJECT).split())[:MAX_SUBJECT_LENGTH]
        return MailContent(subject=subject, text=text.strip() + "\n", html=html)


@pass_context
def _page(mail: Context, path: str) -> str:
    """Return the address of a page of the account that a mail is about.

    Who reads it may have chosen another meanwhile. A mail of before this version says no account.
    """
    account = mail.get("account")
    path, mark, place = path.partition("#")
    if account:
        path += f"{'&' if '?' in path else '?'}account={account}"
    return f"{mail['site']['base_url']}{path}{mark}{place}"
