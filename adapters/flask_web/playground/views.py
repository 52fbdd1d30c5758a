"""The playground: asks models by the session, without a key, and says what each answer cost.

A script on the page streams answers; without it the form is answered as a whole. Either way
the call is one like any other: held, relayed, settled, with a receipt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from werkzeug.exceptions import NotFound

from adapters.flask_web.context import services, settings
from adapters.flask_web.playground.question import (
    ENDPOINT,
    Question,
    as_code,
    from_form,
    from_script,
)
from adapters.flask_web.web.account import allowed, viewer
from adapters.flask_web.web.calling_client import CallingClient
from adapters.flask_web.web.errors import refusal_of
from adapters.flask_web.web.figures import paid_exact
from adapters.flask_web.web.formatting import call_status, exact_dollars
from adapters.flask_web.web.model_offers import ModelOffer
from adapters.flask_web.web.session import person
from adapters.flask_web.web.throttle import QUOTES_PER_PERSON, throttle
from adapters.flask_web.web.turns import Turns
from creditcore.domain.access import Action, may, require
from creditcore.domain.callers import WithoutKey
from creditcore.domain.errors import CallRunningError, CreditcoreError, InvalidRequestError
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import Wallet
from creditcore.domain.money import Credits
from creditcore.ports.inference import HeardWire
from creditcore.usecases.calls.relayed_call import RelayedCall

blueprint = Blueprint("playground", __name__, url_prefix="/dashboard/playground")

_CALL_ID = re.compile(r"call-[0-9A-Za-z_-]{8,80}")
_NOTHING_LEFT = Credits.of(1)
_turns = Turns()


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer, for a page without a script."""

    text: str
    call_id: str
    cost: Credits


@blueprint.get("")
@allowed(Action.HOLD_KEYS)
def show() -> str:
    """Show the form, with a model chosen by the address where it names one."""
    return _page({"model": request.args.get("model", "")[:300]})


@blueprint.post("")
@allowed(Action.HOLD_KEYS)
def ask() -> str | tuple[str, int]:
    """Answer the form as a whole, or only say what that can cost."""
    typed = request.form
    try:
        require(viewer(), Action.HOLD_KEYS)
        question = from_form(typed)
        if typed.get("do") == "quote":
            return _page(typed, at_most=_at_most(question), question=question)
        answered = _answer(question, _call_id(typed.get("call_id", "")))
    except CallRunningError as error:
        told = "This was asked already; its receipt says what it cost."
        return _page(typed, {"form": told}, call_id=error.call_id), 409
    except InvalidRequestError as error:
        return _page(typed, {error.param or "form": str(error)}), 400
    except CreditcoreError as error:
        answer = refusal_of(error, base_url=settings().base_url)
        return _page(typed, {"form": answer.message}), answer.status
    return _page(typed, answered=answered, question=question)


@blueprint.post("/quote")
@allowed(Action.HOLD_KEYS)
def quote() -> Response | tuple[Response, int]:
    """Tell the page's script the most that a call can cost, and the same call as code."""
    throttle().count(QUOTES_PER_PERSON, "playground", person().id)
    try:
        question = from_script(request.get_json(silent=True))
        require(viewer(), Action.HOLD_KEYS)
        quoted = services().calls.quotes.quote(
            _wire(), question.body(stream=True), caller=_caller()
        )
    except CreditcoreError as error:
        return _refused(error)
    refusal = quoted.refusal
    return jsonify(
        at_most=_both(quoted.ceiling),
        refusal=refusal_of(refusal, base_url=settings().base_url).message if refusal else "",
        code=as_code(question, settings().base_url),
    )


@blueprint.post("/run")
@allowed(Action.HOLD_KEYS)
def run() -> Response | tuple[Response, int]:
    """Stream an answer to the page's script. Leaving ends the call, as leaving the API does."""
    sent = request.get_json(silent=True)
    try:
        question = from_script(sent)
        call_id = _call_id(str(sent.get("call_id", "")) if isinstance(sent, dict) else "")
        call = _open(question, call_id, stream=True)
    except CreditcoreError as error:
        return _refused(error)
    answer = Response(
        _turns.taken(call),
        mimetype="text/event-stream",
        headers={
            "cache-control": "no-store",
            "x-accel-buffering": "no",
            "x-call-id": call_id,
        },
    )
    # Also where the answer is never begun: a generator that never ran has no end.
    answer.call_on_close(call.close)
    return answer


@blueprint.get("/calls/<call_id>")
@allowed(Action.HOLD_KEYS)
def outcome(call_id: str) -> Response:
    """Tell the page's script what a call came to, as soon as it is settled."""
    if "\x00" in call_id:
        raise NotFound
    mine = _wallet()
    with services().transactions.begin() as tx:
        hold = tx.calls.find(call_id, wallet_id=mine.id)
    return jsonify(_outcome(hold))


@blueprint.post("/calls")
@allowed(Action.HOLD_KEYS)
def new_call() -> Response:
    """Name a call before it is made, so that its receipt is found whatever happens to it."""
    return jsonify(call_id=services().calls.relay.new_call_id())


def _outcome(hold: Hold) -> Mapping[str, object]:
    usage, status = hold.outcome.usage, call_status(hold)
    return {
        "ended": not hold.is_open,
        "cost": _both(hold.charged),
        "word": status.word,
        "hint": status.hint,
        "prompt_tokens": usage.prompt_tokens if usage else None,
        "completion_tokens": usage.completion_tokens if usage else None,
        "first_byte_ms": hold.outcome.first_byte_ms,
        "latency_ms": hold.outcome.latency_ms,
        "receipt": url_for("dashboard.call", call_id=hold.reference),
    }


def _both(amount: Credits) -> str:
    """Return an amount as the money paid for it, and as the balance it takes."""
    return f"{paid_exact(amount)} paid ({exact_dollars(amount)} of balance)"


def _answer(question: Question, call_id: str) -> Answered:
    call = _open(question, call_id, stream=False)
    try:
        document = call.document()
    finally:
        call.close()
    said = json.loads(document.body)
    choices = said.get("choices") or [{}]
    text = (choices[0].get("message") or {}).get("content")
    return Answered(text if isinstance(text, str) else "", call_id, document.cost)


def _open(question: Question, call_id: str, *, stream: bool) -> RelayedCall:
    require(viewer(), Action.HOLD_KEYS)
    return services().calls.relay.open_without_key(
        _wire(),
        services().calls.relay.prepare(_wire(), question.body(stream=stream), call_id=call_id),
        caller=_caller(),
        client=CallingClient(request.environ),
    )


def _at_most(question: Question) -> Credits:
    quoted = services().calls.quotes.quote(_wire(), question.body(stream=False), caller=_caller())
    if quoted.refusal is not None:
        raise quoted.refusal
    return quoted.ceiling


def _wire() -> HeardWire:
    return services().wires[ENDPOINT].hearing(lambda _name: None)


def _caller() -> WithoutKey:
    """Return who asks, held to what limits the account, and a member of its team."""
    return services().keys.account_limits.without_key(
        _wallet().id, member_id=person().id if viewer().membership else ""
    )


def _wallet() -> Wallet:
    mine = viewer().wallet
    if mine is None:
        raise NotFound
    return mine


def _call_id(text: str) -> str:
    """Return the name that the page gave a call; asking twice by one name asks once.

    Raises:
        InvalidRequestError: It is no name of ours.
    """
    if not _CALL_ID.fullmatch(text):
        raise InvalidRequestError("Load the page again, then ask.")
    return text


def _refused(error: CreditcoreError) -> tuple[Response, int]:
    answer = refusal_of(error, base_url=settings().base_url)
    return jsonify(answer.body), answer.status


def _page(
    typed: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    *,
    answered: Answered | None = None,
    question: Question | None = None,
    at_most: Credits | None = None,
    call_id: str = "",
) -> str:
    mine = viewer().wallet
    return render_template(
        "playground/playground.html",
        page="playground",
        models=_models(),
        typed=typed,
        errors=errors or {},
        answered=answered,
        cost=_both(answered.cost) if answered else "",
        at_most=_both(at_most) if at_most else "",
        code=as_code(question, settings().base_url) if question else None,
        earlier=call_id,
        call_id=services().calls.relay.new_call_id(),
        may_call=may(viewer(), Action.HOLD_KEYS),
        is_empty=mine is None or mine.available < _NOTHING_LEFT,
    )


def _models() -> Sequence[ModelOffer]:
    prices = services().calls.prices.all()
    return [ModelOffer.of(each, settings().tariff) for each in prices if each.mode == "chat"]
