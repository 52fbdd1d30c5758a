"""Whose site it is: what every page, mail and receipt may name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from flask import Flask

from adapters.flask_web.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """The company behind the site, as far as it has said who it is."""

    name: str
    logo: str
    landing_title: str
    landing_text: str
    support_email: str
    support_url: str
    terms_url: str
    privacy_url: str
    company_name: str
    company_address: str
    tax_number: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what the operator has set."""
        return cls(
            name=settings.site_name,
            logo=settings.site_logo,
            landing_title=settings.landing_title,
            landing_text=settings.landing_text,
            support_email=settings.support_email,
            support_url=settings.support_url,
            terms_url=settings.terms_url,
            privacy_url=settings.privacy_url,
            company_name=settings.company_name,
            company_address=settings.company_address,
            tax_number=settings.tax_number,
        )

    @property
    def logo_origin(self) -> str:
        """Where the logo is loaded from, if it is from elsewhere; browsers ask whether they may."""
        parts = urlsplit(self.logo)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def register(app: Flask, settings: Settings) -> None:
    """Let every template name the site, error pages too."""
    app.jinja_env.globals["operator"] = Operator.of(settings)
