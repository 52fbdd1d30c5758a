"""API keys, as their owner makes and revokes them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from adapters.flask_web.context import services
from adapters.flask_web.web.session import for_people, person
from creditcore.domain.errors import InvalidRequestError, ReferenceConflictError

blueprint = Blueprint("keys", __name__, url_prefix="/dashboard/keys")

_MADE_ALREADY = "This key was made already, and its secret shown once. It is in the list below."
_LIFETIMES_IN_DAYS = ("30", "90", "365")


@blueprint.get("")
@for_people
def show() -> str:
    """List keys; one that was just made is shown, this once."""
    return _keys_page()


@blueprint.post("")
@for_people
def create() -> tuple[str, int]:
    """Make a key and show it in the answer itself.

    There is no redirect: the secret would have to be kept somewhere in between. The form
    brings the id of its key, so that reloading the answer makes no other.
    """
    name, days = request.form.get("name", ""), request.form.get("expires_in_days", "")
    try:
        key, secret = services().keys.issue(
            person().id, name=name, lifetime=_lifetime(days), key_id=_form_key_id()
        )
    except ReferenceConflictError:
        return _keys_page({"form": _MADE_ALREADY}), 409
    except InvalidRequestError as error:
        return _keys_page({error.param or "name": str(error)}, name=name), 400
    return _keys_page(new_secret=secret.text, new_key_name=key.name), 201


@blueprint.post("/<key_id>/revoke")
@for_people
def revoke(key_id: str) -> Response:
    """Refuse a key from now on."""
    services().keys.revoke(key_id, owner_id=person().id)
    return redirect(url_for("keys.show"))


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


def _keys_page(
    errors: dict[str, str] | None = None,
    *,
    name: str = "",
    new_secret: str | None = None,
    new_key_name: str = "",
) -> str:
    with services().transactions.begin() as tx:
        rows = tx.keys.list_of(person().id)
    return render_template(
        "keys/keys.html",
        page="keys",
        keys=rows,
        new_secret=new_secret,
        new_key_name=new_key_name,
        errors=errors or {},
        name=name,
        now=services().clock.now(),
        key_id=services().keys.new_id(),
    )
