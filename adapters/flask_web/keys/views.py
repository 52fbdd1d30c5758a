"""API keys, as their owner makes, limits, rotates and revokes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.context import services, settings
from adapters.flask_web.keys.forms import KeyForm, dollars, read_dollars, spent_percent
from adapters.flask_web.keys.month_use import used_this_month
from adapters.flask_web.keys.setups import app_links, setups
from adapters.flask_web.web.account import account, allowed
from adapters.flask_web.web.choices import PERIODS
from adapters.flask_web.web.compressed_pages import keep_plain
from adapters.flask_web.web.first_steps import guide_of
from adapters.flask_web.web.model_offers import example_model
from adapters.flask_web.web.session import actor, person
from adapters.flask_web.web.stepping_up import check_key_maker
from creditcore.domain.access import Action
from creditcore.domain.errors import InvalidRequestError, ReferenceConflictError
from creditcore.domain.keys import Scope
from creditcore.domain.limits import NO_LIMITS, KeyLimits, SpendLimit
from creditcore.domain.runaway import Trial
from creditcore.domain.usage_hours import NOTHING_USED
from creditcore.usecases.keys.change_key import KeyChanges
from creditcore.usecases.keys.issue_key import MAX_KEYS
from creditcore.usecases.keys.read_keys import KeyView
from creditcore.usecases.keys.stop_runaways import TRIED_ON

blueprint = Blueprint("keys", __name__, url_prefix="/dashboard/keys")

OVERLAPS = (("0", "Not at all"), ("1", "1 hour"), ("24", "24 hours"), ("72", "72 hours"))

_MADE_ALREADY = "This key was made already, and its secret shown once. It is in the list below."
_LIFETIMES_IN_DAYS = ("30", "90", "365")
_MAX_SHOWN = 1_000
_MAX_TYPED = 40
_MAX_TYPED_URL = 500
_MAX_FIRED = 5
_SCOPES = {
    Scope.INFERENCE: "Call models",
    Scope.ACCOUNT_READ: "Read balance, usage, calls and keys",
    Scope.ACCOUNT_MANAGE: "Make, change and revoke keys",
}


@blueprint.get("")
@allowed(Action.HOLD_KEYS)
def show() -> str:
    """List keys; one that was just made is shown, this once."""
    return _keys_page()


@blueprint.post("")
@allowed(Action.HOLD_KEYS)
def create() -> tuple[str, int]:
    """Make a key and show it in the answer itself.

    There is no redirect: the secret would have to be kept somewhere in between. The form
    brings the id of its key, so that reloading the answer makes no other.
    """
    typed = _typed()
    check_key_maker(typed.scopes)
    try:
        key, secret = services().keys.issuing.issue(
            account().id,
            holder_id=account().holder_id,
            name=typed.typed["name"],
            lifetime=_lifetime(request.form.get("expires_in_days", "")),
            scopes=typed.scopes or (Scope.INFERENCE,),
            limits=typed.limits(),
            key_id=_form_key_id(),
            actor=actor(),
        )
    except ReferenceConflictError:
        return _keys_page({"form": _MADE_ALREADY}), 409
    except InvalidRequestError as error:
        return _keys_page({error.param or "name": str(error)}, typed=typed), 400
    return _keys_page(new_secret=secret.text, new_key_name=key.name), 201


@blueprint.get("/<key_id>")
@allowed(Action.HOLD_KEYS)
def one(key_id: str) -> str:
    """Show one key, and what can be done with it."""
    view = services().keys.views.one(
        key_id, owner_id=account().id, holder_id=account().seen_holder_id
    )
    form = KeyForm.of(view.key, person().zone)
    typed = request.args.get("stop")
    if typed is None:
        return _key_page(view, form)
    typed = typed[:_MAX_TYPED]
    try:
        per_hour = read_dollars(typed, param="stop")
        trial = services().keys.stops.try_on_the_past(
            key_id, per_hour, owner_id=account().id, holder_id=account().seen_holder_id
        )
    except InvalidRequestError as error:
        return _key_page(view, form, stop=typed, stop_errors={"stop": str(error)})
    return _key_page(view, form, stop=typed, trial=trial)


@blueprint.post("/<key_id>")
@allowed(Action.HOLD_KEYS)
def change(key_id: str) -> Response | tuple[str, int]:
    """Rename and limit a key."""
    typed = _typed()
    check_key_maker(typed.scopes)
    try:
        wanted = KeyChanges(
            name=typed.typed["name"],
            scopes=typed.scopes,
            limits=typed.limits(),
            expires_at=typed.expires_at(),
        )
        services().keys.changes.change(
            key_id, wanted, owner_id=account().id, holder_id=account().seen_holder_id, actor=actor()
        )
    except InvalidRequestError as error:
        view = services().keys.views.one(
            key_id, owner_id=account().id, holder_id=account().seen_holder_id
        )
        return _key_page(view, typed, {error.param or "name": str(error)}), 400
    flash("Saved. It counts with the very next call.", "success")
    return redirect(url_for("keys.one", key_id=key_id))


@blueprint.post("/<key_id>/stop")
@allowed(Action.HOLD_KEYS)
def stop(key_id: str) -> Response | tuple[str, int]:
    """Pause a key by itself when it spends so much within an hour; or try that on the past."""
    typed = request.form.get("stop", "")[:_MAX_TYPED]
    if request.form.get("do") == "try":
        return redirect(url_for("keys.one", key_id=key_id, stop=typed, _anchor="runaway"), 303)
    webhook = request.form.get("webhook", "").strip()
    try:
        services().keys.webhooks.check(webhook)
        per_hour = read_dollars(typed, param="stop")
        changes = KeyChanges(stop_per_hour=per_hour, stop_webhook=webhook)
        services().keys.changes.change(
            key_id,
            changes,
            owner_id=account().id,
            holder_id=account().seen_holder_id,
            actor=actor(),
        )
    except InvalidRequestError as error:
        view = services().keys.views.one(
            key_id, owner_id=account().id, holder_id=account().seen_holder_id
        )
        form = KeyForm.of(view.key, person().zone)
        field = "webhook" if error.param == "stop_webhook" else "stop"
        page = _key_page(
            view,
            form,
            stop=typed,
            webhook=webhook[:_MAX_TYPED_URL],
            stop_errors={field: str(error)},
        )
        return page, 400
    flash("Saved. What it spends counts from now on.", "success")
    return redirect(url_for("keys.one", key_id=key_id))


@blueprint.post("/<key_id>/pause")
@allowed(Action.HOLD_KEYS)
def pause(key_id: str) -> Response:
    """Refuse a key until it is resumed."""
    _pause(key_id, paused=True)
    return redirect(url_for("keys.one", key_id=key_id))


@blueprint.post("/<key_id>/resume")
@allowed(Action.HOLD_KEYS)
def resume(key_id: str) -> Response:
    """Let a paused key open again."""
    _pause(key_id, paused=False)
    return redirect(url_for("keys.one", key_id=key_id))


@blueprint.post("/<key_id>/rotate")
@allowed(Action.HOLD_KEYS)
def rotate(key_id: str) -> tuple[str, int]:
    """Make a key in the place of another, and show it in the answer itself, this once."""
    hours = request.form.get("overlap_hours", "")
    if hours not in dict(OVERLAPS):
        raise InvalidRequestError("Choose how long the old key goes on working.")
    check_key_maker(
        services()
        .keys.views.one(key_id, owner_id=account().id, holder_id=account().seen_holder_id)
        .key.scopes
    )
    key, secret = services().keys.changes.rotate(
        key_id,
        owner_id=account().id,
        holder_id=account().holder_id,
        overlap=timedelta(hours=int(hours)),
        actor=actor(),
    )
    return _keys_page(new_secret=secret.text, new_key_name=key.name), 201


@blueprint.post("/<key_id>/revoke")
@allowed(Action.HOLD_KEYS)
def revoke(key_id: str) -> Response:
    """Refuse a key from now on."""
    services().keys.issuing.revoke(
        key_id, owner_id=account().id, holder_id=account().seen_holder_id, actor=actor()
    )
    return redirect(url_for("keys.show"))


@blueprint.post("/pause-all")
@allowed(Action.HOLD_KEYS)
def pause_all() -> Response:
    """Pause every key at once."""
    paused = services().keys.changes.pause_all(
        account().id, holder_id=account().seen_holder_id, actor=actor()
    )
    flash(f"{paused} {'key was' if paused == 1 else 'keys were'} paused.", "success")
    return redirect(url_for("keys.show"))


def _pause(key_id: str, *, paused: bool) -> None:
    changes = KeyChanges(paused=paused)
    services().keys.changes.change(
        key_id, changes, owner_id=account().id, holder_id=account().seen_holder_id, actor=actor()
    )


def _typed() -> KeyForm:
    return KeyForm.read(
        request.form,
        request.form.getlist("scopes"),
        zone=person().zone,
        zone_name=person().timezone or "UTC",
    )


def _form_key_id() -> str:
    given = request.form.get("key_id", "")
    try:
        return str(UUID(given))
    except ValueError:
        raise InvalidRequestError(
            "Reload the page and send the form again.", param="form"
        ) from None


def _lifetime(days: str) -> timedelta | None:
    if days not in ("", *_LIFETIMES_IN_DAYS):
        raise InvalidRequestError("Choose how long the key works.", param="expires_in_days")
    return timedelta(days=int(days)) if days else None


def _limit_text(spend: SpendLimit) -> str:
    return PERIODS[spend.period]


def _account_limits() -> KeyLimits:
    mine = account().wallet
    return services().keys.account_limits.of(mine.id) if mine else NO_LIMITS


def _keys_page(
    errors: dict[str, str] | None = None,
    *,
    typed: KeyForm | None = None,
    new_secret: str | None = None,
    new_key_name: str = "",
) -> str:
    made = _about_new(new_secret) if new_secret else {}
    views = services().keys.views.page(
        account().id, holder_id=account().seen_holder_id, limit=_MAX_SHOWN
    )
    shows_revoked = request.args.get("revoked") == "1"
    revoked = sum(view.key.revoked_at is not None for view in views)
    return render_template(
        "keys/keys.html",
        page="keys",
        views=[view for view in views if shows_revoked or view.key.revoked_at is None],
        revoked=revoked,
        holders=_holders(views),
        month=used_this_month(),
        shows_revoked=shows_revoked,
        max_keys=MAX_KEYS,
        new_secret=new_secret,
        new_key_name=new_key_name,
        **made,
        errors=errors or {},
        form=typed or KeyForm.blank(services().keys.issuing.defaults, person().zone),
        periods=PERIODS,
        scopes=_SCOPES,
        limit_text=_limit_text,
        spent_percent=spent_percent,
        now=services().clock.now(),
        account_limits=_account_limits(),
        key_id=services().keys.issuing.new_id(),
    )


def _about_new(secret: str) -> dict[str, object]:
    """Return what is shown beside a new key: how to use it, and what comes next."""
    base_url, model = settings().base_url, example_model()
    owner_id = account().id
    with services().transactions.begin() as tx:
        wallet = tx.ledger.find_wallet_of(owner_id)
        guide = guide_of(tx, wallet.id, tx.keys.list_of(owner_id))
    return {
        "setups": setups(base_url=base_url, key=secret, model=model),
        "app_links": app_links(
            base_url=base_url, key=secret, name=settings().site_name, model=model
        ),
        "guide": guide,
    }


def _holders(views: Sequence[KeyView]) -> dict[str, str]:
    """Return who holds the keys of a team, for those who see more than their own."""
    if not account().is_team or account().seen_holder_id:
        return {}
    with services().transactions.begin() as tx:
        ids = {view.key.holder_id for view in views}
        people = [person for person in map(tx.people.find, ids) if person is not None]
    return {person.id: person.name or person.email for person in people}


def _key_page(
    view: KeyView,
    form: KeyForm,
    errors: dict[str, str] | None = None,
    *,
    stop: str | None = None,
    stop_errors: dict[str, str] | None = None,
    webhook: str | None = None,
    trial: Trial | None = None,
) -> str:
    if stop is None:
        stop = dollars(view.key.stop.per_hour) if view.key.stop else ""
    if webhook is None:
        webhook = view.key.stop.webhook if view.key.stop else ""
    spend, now = view.key.limits.spend, services().clock.now()
    webhook_secret = ""
    if view.key.stop and view.key.stop.webhook:
        webhook_secret = services().keys.webhooks.secret_of(view.key)
        keep_plain()
    return render_template(
        "keys/key.html",
        page="keys",
        view=view,
        key=view.key,
        month=used_this_month(view.key.id).get(view.key.id, NOTHING_USED),
        form=form,
        errors=errors or stop_errors or {},
        periods=PERIODS,
        scopes=_SCOPES,
        overlaps=OVERLAPS,
        limit_text=_limit_text,
        spent_percent=spent_percent,
        resets_at=spend.ends_at(now) if spend else None,
        stop=stop,
        stop_errors=stop_errors or {},
        webhook=webhook,
        webhook_secret=webhook_secret,
        trial=trial,
        tried_days=TRIED_ON.days,
        most_fired=_MAX_FIRED,
        sends_mail=services().operations.mails.is_configured,
        now=now,
    )
