"""Switches and records of the LiteLLM stand-in, under ``/control/litellm``.

============  ======================================================================================
GET  /calls   ``{"total", "open", "max_open", "calls": [...]}``, oldest first; ``?summary=1`` leaves
              the calls out, ``?call_id=`` shows one, ``?limit=N`` the last N
GET  /counts  ``{"models": [...]}`` that prompts were counted for, one for each time, oldest first
POST /counts  ``{"status": 200, "body": "..."}`` answers so instead, ``{"hangs": true}`` not at all;
              without either it counts again
POST /down    ``{"down": true, "mode": "drop"|"503"}``: fail everything; ``{"down": false}`` ends it
POST /prices  ``{"<model>": {<model_info fields>}}`` changes or adds, ``{"<model>": null}`` removes
POST /keys    ``{"database_down", "stores_nothing", "refuses_alias", "hangs"}`` switch faults of the
              admin side, ``{"forget": true}`` restarts it empty; answers with every key
POST /spend   ``{"lose": "<call id>"}`` loses a row of the log, ``{"add": {<row>}}`` invents one
============  ======================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Request, Response

from sandbox.litellm.api import LiteLLM
from sandbox.litellm.spend import SpendRow
from sandbox.routing import Router, control_error, json_answer, json_object


class LiteLLMControl:
    """The control endpoints as a WSGI application."""

    def __init__(self, litellm: LiteLLM) -> None:
        """Take the stand-in to control."""
        self._litellm = litellm
        self._router = Router(
            [
                ("GET", "/calls", self._calls),
                ("GET", "/counts", self._counts),
                ("POST", "/counts", self._count_otherwise),
                ("POST", "/down", self._down),
                ("POST", "/prices", self._prices),
                ("POST", "/keys", self._keys),
                ("POST", "/spend", self._spend),
            ],
            error=control_error,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._router(environ, start_response)

    def _calls(self, request: Request) -> Response:
        calls = self._litellm.calls
        if request.args.get("summary"):
            return json_answer(calls.totals())
        wanted = request.args.get("call_id")
        rows = [call for call in calls if wanted in {None, call.call_id}]
        limit = request.args.get("limit", "")
        if limit.isdecimal() and int(limit):
            rows = rows[-int(limit) :]
        return json_answer({**calls.totals(), "calls": [call.as_json() for call in rows]})

    def _counts(self, _request: Request) -> Response:
        return json_answer({"models": self._litellm.counter.asked})

    def _count_otherwise(self, request: Request) -> Response:
        order, counter = json_object(request), self._litellm.counter
        said = order.get("body")
        counter.instead = None if said is None else (int(order.get("status", 200)), str(said))
        if order.get("hangs"):
            counter.answers.clear()
        else:
            counter.answers.set()
        return json_answer(order)

    def _down(self, request: Request) -> Response:
        order = json_object(request)
        mode = str(order.get("mode", "drop"))
        if mode not in {"drop", "503"}:
            raise BadRequest("mode must be drop or 503.")
        self._litellm.outage = ("drop" if mode == "drop" else "503") if order.get("down") else ""
        return json_answer({"down": bool(self._litellm.outage)})

    def _prices(self, request: Request) -> Response:
        order = json_object(request)
        if not all(change is None or isinstance(change, dict) for change in order.values()):
            raise BadRequest("Each model's change must be an object or null.")
        for model, change in order.items():
            self._litellm.models.change(model, change)
        return json_answer({"models": self._litellm.models.names()})

    def _keys(self, request: Request) -> Response:
        order, keys = json_object(request), self._litellm.keys
        for name in ("database_down", "stores_nothing", "refuses_alias"):
            if name in order:
                setattr(keys, name, bool(order[name]))
        if "hangs" in order:
            (keys.answers.clear if order["hangs"] else keys.answers.set)()
        if order.get("forget"):
            keys.rows.clear()
        rows = [{"token": row.token, **row.as_info()} for row in keys.rows.values()]
        return json_answer({"keys": rows})

    def _spend(self, request: Request) -> Response:
        order = json_object(request)
        if "lose" in order:
            return json_answer({"lost": self._litellm.spend.remove(str(order["lose"]))})
        try:
            self._litellm.spend.add(SpendRow(**order["add"]))
        except (KeyError, TypeError) as error:
            raise BadRequest(f"add must be a row: {error}.") from error
        return json_answer({"added": True})
