"""What the control endpoint may change while the stand-in runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Settings:
    """Switches of the project, as its dashboard has them, and times in seconds.

    Attributes:
        site_url: Where people are sent who cannot be sent back to where they wanted.
        redirect_urls: Where else they may be sent: addresses, or beginnings that end in ``**``.
        autoconfirm: Addresses count at once, and no confirmation is mailed.
        signup_disabled: No new person is let in.
        email_disabled: No person signs in by address and password.
        google: Whether the provider is on.
        github: Whether the provider is on.
        manual_linking: People connect and disconnect providers. Off in a new project; on here, so
            that the demo shows it.
        captcha: Sign-in, sign-up and mails want a captcha.
        min_password_length: In bytes.
        secure_email_change: Both addresses confirm a change.
        require_reauthentication: A changed password wants a mailed code, a day after signing in.
        require_current_password: A changed password wants the old one.
        mail_window_s: How soon a person may ask for another mail.
        mail_quota: How many mails are sent before there are no more.
        link_life_s: How long a link or code works.
        flow_life_s: How long an OAuth return, or a PKCE mail link, works.
        jwt_life_s: How long an access token counts.
        reuse_interval_s: How long a spent refresh token is forgiven.
        refresh_algorithm: 1 or 2.
        signing: ``ES256``, ``RS256`` or ``HS256``.
        issuer: What tokens name as their issuer; empty for the stand-in's own address.
        race_s: How long looking and acting lie apart: what comes between sees the old state.
    """

    site_url: str = "http://127.0.0.1:8000"
    redirect_urls: tuple[str, ...] = ()
    autoconfirm: bool = False
    signup_disabled: bool = False
    email_disabled: bool = False
    google: bool = True
    github: bool = True
    manual_linking: bool = True
    captcha: bool = False
    min_password_length: int = 6
    secure_email_change: bool = True
    require_reauthentication: bool = False
    require_current_password: bool = False
    mail_window_s: float = 60.0
    mail_quota: int = 100_000
    link_life_s: float = 1800.0
    flow_life_s: float = 300.0
    jwt_life_s: float = 3600.0
    reuse_interval_s: float = 10.0
    refresh_algorithm: int = 1
    signing: str = "ES256"
    issuer: str = ""
    race_s: float = 0.0

    def change(self, changes: Mapping[str, Any]) -> None:
        """Apply changes by name.

        Raises:
            ValueError: A name is unknown or a value makes no sense; nothing was changed.
        """
        usual = asdict(self)
        if unknown := changes.keys() - usual.keys():
            raise ValueError(f"Unknown setting: {', '.join(sorted(unknown))}.")
        read: dict[str, Any] = {}
        for name, value in changes.items():
            kind = type(usual[name])
            if kind is bool and not isinstance(value, bool):
                raise ValueError(f"{name} is true or false.")
            read[name] = kind(value)
        if read.get("signing", "ES256") not in {"ES256", "RS256", "HS256"}:
            raise ValueError("signing is ES256, RS256 or HS256.")
        for name, value in read.items():
            setattr(self, name, value)
