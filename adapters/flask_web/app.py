"""The whole web, put together."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from adapters.flask_web import (
    accounts,
    admin,
    api,
    billing,
    cli,
    dashboard,
    keys,
    operations,
    playground,
    site,
    teams,
)
from adapters.flask_web.billing import payment_endpoint
from adapters.flask_web.context import SERVICES, SETTINGS
from adapters.flask_web.inference.direct import DirectMode
from adapters.flask_web.inference.exchange import MAX_FORM_BYTES
from adapters.flask_web.inference.proxy import Proxy
from adapters.flask_web.settings import Settings
from adapters.flask_web.web import (
    account,
    balance_notice,
    buckets,
    compressed_pages,
    error_answers,
    figures,
    form_limits,
    formatting,
    model_features,
    operator,
    security,
    session,
    static_files,
    stepping_up,
    trailing_slash,
)
from adapters.flask_web.web.anonymous_turns import AnonymousTurns
from adapters.flask_web.web.form_tokens import FormTokens
from adapters.flask_web.web.hosts import KnownHosts
from adapters.flask_web.web.throttle import Throttle
from creditcore.services import Services

_FEATURES = (site, accounts, dashboard, playground, billing, keys, teams, api, operations, admin)
_SESSION_LIFETIME = timedelta(days=14)


def create_app(services: Services, settings: Settings) -> Flask:
    """Build the application from what it needs; nothing is read from the environment here."""
    secure = urlsplit(settings.base_url).scheme == "https"
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=_derived(settings.auth_secret, "session"),
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        PERMANENT_SESSION_LIFETIME=_SESSION_LIFETIME,
        # Browsers let no other host of the domain set a cookie with this prefix.
        SESSION_COOKIE_NAME=f"{'__Host-' if secure else ''}creditcore_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.extensions[SERVICES] = services
    app.extensions[SETTINGS] = settings
    throttle = Throttle(settings.redis_url)
    app.extensions["creditcore.throttle"] = throttle

    elsewhere = (*services.payment_gateway.checkout_origins, *settings.sign_in_hosts)
    # Before all others: what is registered first sees an answer last.
    compressed_pages.register(app)
    operator.register(app, settings)
    security.register(app, settings, elsewhere=elsewhere)
    form_limits.register(app)
    trailing_slash.register(app)
    error_answers.register(app, base_url=settings.base_url)
    formatting.register(app)
    buckets.register(app)
    model_features.register(app)
    figures.register(app)
    balance_notice.register(app)
    session.register(app)
    account.register(app)
    stepping_up.register(app)
    csrf = FormTokens(app)
    payment_endpoint.register(app, settings, csrf)
    for feature in _FEATURES:
        for blueprint in feature.BLUEPRINTS:
            app.register_blueprint(blueprint)
    for blueprint in api.BLUEPRINTS:
        csrf.exempt(blueprint)
    cli.register(app)

    app.wsgi_app = AnonymousTurns(app, base_url=settings.base_url)  # type: ignore[method-assign]
    static_files.register(app, data_dir=settings.data_dir)
    # Inference never enters Flask: its dispatch costs as much as the rest of a call.
    app.wsgi_app = Proxy(  # type: ignore[method-assign]
        services, settings, throttle=throttle, site=app.wsgi_app
    )
    if settings.litellm_direct_token:
        app.wsgi_app = DirectMode(  # type: ignore[method-assign]
            services, settings, site=app.wsgi_app
        )
    if settings.trusted_proxy_count:
        hops = settings.trusted_proxy_count
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            # Proxies pass a client's own X-Forwarded-Host on: the client would choose the name.
            app.wsgi_app,
            x_for=hops,
            x_proto=hops,
            x_host=0,
        )
    app.wsgi_app = KnownHosts(settings, site=app.wsgi_app)  # type: ignore[method-assign]
    return app


def _derived(secret: str, purpose: str) -> bytes:
    """Return a secret for one purpose, so that one's misuse says nothing about another."""
    return hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)
