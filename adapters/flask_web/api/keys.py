"""Keys, for programs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Annotated

from flask import Blueprint
from pydantic import Field

from adapters.flask_web.api.caller import Caller
from adapters.flask_web.api.operations import MANAGER, READER, Query, operation
from adapters.flask_web.api.paging import Page, next_cursor
from adapters.flask_web.api.shapes import (
    Amount,
    KeyList,
    KeyPatch,
    KeyRequest,
    KeyShape,
    NewKeyShape,
    Paused,
    RotateRequest,
    SpendLimitShape,
    StopTrial,
    WebhookSecret,
)
from adapters.flask_web.context import services
from adapters.flask_web.web.stepping_up import check_key_maker
from creditcore.domain.keys import ApiKey, KeySecret, Scope
from creditcore.domain.limits import KeyLimits, SpendLimit
from creditcore.domain.money import Credits
from creditcore.usecases.keys.change_key import UNCHANGED, KeyChanges
from creditcore.usecases.keys.read_keys import KeyView
from creditcore.usecases.keys.stop_runaways import TRIED_ON

blueprint = Blueprint("api_keys", __name__)

_MAX_FIRED = 100


@operation(blueprint, "GET", "/api/v1/keys", scopes=READER, query=Page, answer=KeyList)
def list_keys(caller: Caller, query: Page) -> KeyList:
    """List keys, newest first, revoked ones included."""
    found = services().keys.views.page(
        caller.owner_id,
        limit=query.limit + 1,
        before=query.start,
        holder_id=caller.seen_holder_id,
    )
    shown = found[: query.limit]
    more = len(found) > query.limit
    return KeyList(
        data=[shape(view) for view in shown],
        next_cursor=next_cursor(shown[-1].key.created_at, shown[-1].key.id) if more else None,
    )


@operation(
    blueprint,
    "POST",
    "/api/v1/keys",
    scopes=MANAGER,
    body=KeyRequest,
    answer=NewKeyShape,
    status=201,
)
def make_key(caller: Caller, body: KeyRequest) -> NewKeyShape:
    """Make a key. A key that asks gives no more than it has itself."""
    _check_maker(caller, body.scopes)
    key, secret = services().keys.issuing.issue(
        caller.owner_id,
        holder_id=caller.holder_id,
        name=body.name,
        scopes=body.scopes,
        expires_at=body.expires_at,
        limits=_limits(body, services().keys.issuing.defaults_for(body.scopes)),
        stop_per_hour=_amount(body.stop_at_credits_per_hour),
        stop_webhook=_webhook(body),
        by=caller.key,
        actor=caller.actor,
    )
    return new_key_shape(key, secret)


@operation(blueprint, "GET", "/api/v1/keys/{key_id}", scopes=READER, answer=KeyShape)
def read_key(caller: Caller, key_id: str) -> KeyShape:
    """Show one key, with what it has spent and may still spend."""
    return shape(
        services().keys.views.one(key_id, owner_id=caller.owner_id, holder_id=caller.seen_holder_id)
    )


@operation(
    blueprint, "PATCH", "/api/v1/keys/{key_id}", scopes=MANAGER, body=KeyPatch, answer=KeyShape
)
def change_key(caller: Caller, key_id: str, body: KeyPatch) -> KeyShape:
    """Rename, limit, pause or resume a key; it counts with the very next call."""
    _check_maker(caller, body.scopes or ())
    services().keys.changes.change(
        key_id,
        lambda key: _changes(key, body),
        owner_id=caller.owner_id,
        holder_id=caller.seen_holder_id,
        by=caller.key,
        actor=caller.actor,
    )
    return shape(
        services().keys.views.one(key_id, owner_id=caller.owner_id, holder_id=caller.seen_holder_id)
    )


@operation(blueprint, "DELETE", "/api/v1/keys/{key_id}", scopes=MANAGER, answer=KeyShape)
def revoke_key(caller: Caller, key_id: str) -> KeyShape:
    """Revoke a key: the next call with it is refused, for ever. A repeat changes nothing."""
    services().keys.issuing.revoke(
        key_id,
        owner_id=caller.owner_id,
        holder_id=caller.seen_holder_id,
        actor=caller.actor,
    )
    return shape(
        services().keys.views.one(key_id, owner_id=caller.owner_id, holder_id=caller.seen_holder_id)
    )


@operation(
    blueprint,
    "POST",
    "/api/v1/keys/{key_id}/rotate",
    scopes=MANAGER,
    body=RotateRequest,
    answer=NewKeyShape,
    status=201,
)
def rotate_key(caller: Caller, key_id: str, body: RotateRequest) -> NewKeyShape:
    """Make a key in the place of another, with the same limits and one count of both."""
    _check_maker(
        caller,
        services()
        .keys.views.one(key_id, owner_id=caller.owner_id, holder_id=caller.seen_holder_id)
        .key.scopes,
    )
    key, secret = services().keys.changes.rotate(
        key_id,
        owner_id=caller.owner_id,
        holder_id=caller.holder_id,
        overlap=timedelta(hours=body.overlap_hours),
        by=caller.key,
        actor=caller.actor,
    )
    return new_key_shape(key, secret)


@operation(
    blueprint,
    "GET",
    "/api/v1/keys/{key_id}/webhook-secret",
    scopes=MANAGER,
    answer=WebhookSecret,
)
def read_webhook_secret(caller: Caller, key_id: str) -> WebhookSecret:
    """Show what signatures of the webhook of a key are checked with."""
    view = services().keys.views.one(
        key_id, owner_id=caller.owner_id, holder_id=caller.seen_holder_id
    )
    return WebhookSecret(secret=services().keys.webhooks.secret_of(view.key))


class StopQuery(Query):
    """Which stop is tried."""

    credits_per_hour: Annotated[
        Amount | None, Field(description="If left out, the stop that the key has.")
    ] = None


@operation(
    blueprint,
    "GET",
    "/api/v1/keys/{key_id}/stop-trial",
    scopes=READER,
    query=StopQuery,
    answer=StopTrial,
)
def try_stop(caller: Caller, key_id: str, query: StopQuery) -> StopTrial:
    """Say how often a stop would have paused a key in the last 30 days; nothing is changed."""
    per_hour = _amount(query.credits_per_hour)
    trial = services().keys.stops.try_on_the_past(
        key_id, per_hour, owner_id=caller.owner_id, holder_id=caller.seen_holder_id
    )
    return StopTrial(
        stop_at_credits_per_hour=None if trial.per_hour is None else str(trial.per_hour),
        days=TRIED_ON.days,
        would_have_fired=len(trial.fired),
        fired_at=list(trial.fired[-_MAX_FIRED:]),
        highest_hour=str(trial.highest),
    )


@operation(blueprint, "POST", "/api/v1/pause-all-keys", scopes=MANAGER, answer=Paused)
def pause_all_keys(caller: Caller) -> Paused:
    """Pause every key of the account, the one that asks included."""
    return Paused(
        paused=services().keys.changes.pause_all(
            caller.owner_id, holder_id=caller.seen_holder_id, actor=caller.actor
        )
    )


def shape(view: KeyView) -> KeyShape:
    """Return a key as programs see it."""
    return KeyShape.model_validate(_fields(view))


def _check_maker(caller: Caller, scopes: Collection[Scope]) -> None:
    # A key that asks proves itself by each request, and gives no more than it has.
    if caller.key is None:
        check_key_maker(scopes)


def new_key_shape(key: ApiKey, secret: KeySecret) -> NewKeyShape:
    """Return a key that was just made, with its secret."""
    view = services().keys.views.one(key.id, owner_id=key.owner_id)
    return NewKeyShape.model_validate(_fields(view) | {"key": secret.text})


def _fields(view: KeyView) -> dict[str, object]:
    key, limits = view.key, view.key.limits
    spend, counter = limits.spend, view.counter if limits.spend else None
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "last_four": key.last_four,
        "scopes": list(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": view.last_used_at,
        "paused": key.paused_at is not None,
        "paused_by": None if key.paused_at is None else key.paused_by or "owner",
        "stop_at_credits_per_hour": str(key.stop.per_hour) if key.stop else None,
        "stop_webhook": (key.stop.webhook or None) if key.stop else None,
        "allowed_models": list(limits.models),
        "allowed_ips": list(limits.addresses),
        "spend_limit": spend
        and SpendLimitShape(credits=str(spend.credits), period=spend.period, zone=spend.zone),
        "rpm": limits.rpm,
        "tpm": limits.tpm,
        "max_parallel": limits.max_parallel,
        "spent": None if view.spent is None else str(view.spent),
        "spent_since": counter.since if counter else None,
        "resets_at": spend.ends_at(services().clock.now()) if spend else None,
        "credit_balance": str(view.credit_balance),
        "rotated_from": key.family or None,
    }


def _webhook(body: KeyRequest | KeyPatch) -> str:
    url = body.stop_webhook or ""
    services().keys.webhooks.check(url)
    return url


def _amount(text: str | None) -> Credits | None:
    return None if text is None else Credits.parse(text)


def spend_limit(asked: SpendLimitShape | None) -> SpendLimit | None:
    """Return the limit that a request names."""
    if asked is None:
        return None
    return SpendLimit(credits=Credits.parse(asked.credits), period=asked.period, zone=asked.zone)


def _changes(key: ApiKey, body: KeyPatch) -> KeyChanges:
    return KeyChanges(
        name=body.name,
        scopes=body.scopes,
        limits=_limits(body, key.limits),
        stop_per_hour=_amount(body.stop_at_credits_per_hour)
        if "stop_at_credits_per_hour" in body.model_fields_set
        else UNCHANGED,
        stop_webhook=_webhook(body) if "stop_webhook" in body.model_fields_set else UNCHANGED,
        expires_at=body.expires_at if "expires_at" in body.model_fields_set else UNCHANGED,
        paused=body.paused,
    )


def _limits(body: KeyRequest | KeyPatch, otherwise: KeyLimits) -> KeyLimits:
    """Return the limits that are asked for; what is left out is as it is otherwise."""
    given = body.model_fields_set
    return KeyLimits(
        spend=spend_limit(body.spend_limit) if "spend_limit" in given else otherwise.spend,
        max_parallel=body.max_parallel if "max_parallel" in given else otherwise.max_parallel,
        rpm=body.rpm if "rpm" in given else otherwise.rpm,
        tpm=body.tpm if "tpm" in given else otherwise.tpm,
        models=body.allowed_models or () if "allowed_models" in given else otherwise.models,
        addresses=body.allowed_ips or () if "allowed_ips" in given else otherwise.addresses,
    )
