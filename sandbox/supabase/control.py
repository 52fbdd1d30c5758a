"""Switches and records of the Supabase stand-in, under ``/control/supabase``.

==================  ================================================================================
GET  /mails         every mail, newest first; ``?to=`` for one address
GET  /calls         every API call: endpoint, headers, the answer's status; ``?endpoint=`` for one
GET  /users         every person as the API shows them
GET  /settings      the settings; POST changes some of them (see ``settings``)
POST /clock         ``{"ahead_s": 3600}``: the stand-in's time, ahead of the machine's
POST /keys          ``{"act": "rotate"|"revoke"}``, or ``{"signing": "ES256"|"RS256"|"HS256"}``
POST /sign          ``{"claims": {...}}``: a token with any claims, signed as access tokens are
POST /faults        ``{"endpoint", "times": 1, "code", "delay_s", "hang", "drop", "html",
                    "after", "bare"}`` (see ``faults``); DELETE forgets what has not happened yet
==================  ================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Request, Response

from sandbox.fault_queue import MAX_CALLS
from sandbox.routing import Router, control_error, json_answer, json_object
from sandbox.supabase.api import ENDPOINTS, Supabase
from sandbox.supabase.faults import Fault
from sandbox.supabase.keys import KeyRing


class SupabaseControl:
    """The control endpoints as a WSGI application."""

    def __init__(self, supabase: Supabase) -> None:
        """Take the stand-in to control."""
        self._supabase = supabase
        self._router = Router(
            [
                ("GET", "/mails", self._mails),
                ("GET", "/calls", self._calls),
                ("GET", "/users", self._users),
                ("GET", "/settings", self._settings),
                ("POST", "/settings", self._change_settings),
                ("POST", "/clock", self._clock),
                ("POST", "/keys", self._keys),
                ("POST", "/sign", self._sign),
                ("POST", "/faults", self._faults),
                ("DELETE", "/faults", self._forget_faults),
            ],
            error=control_error,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._router(environ, start_response)

    def _mails(self, request: Request) -> Response:
        return json_answer(self._supabase.service.outbox.mails(request.args.get("to")))

    def _calls(self, request: Request) -> Response:
        wanted = request.args.get("endpoint")
        return json_answer(
            [call for call in self._supabase.calls if wanted in {None, call["endpoint"]}]
        )

    def _users(self, _request: Request) -> Response:
        return json_answer([account.shown() for account in self._supabase.service.accounts])

    def _settings(self, _request: Request) -> Response:
        return json_answer(asdict(self._supabase.service.settings))

    def _change_settings(self, request: Request) -> Response:
        try:
            self._supabase.service.settings.change(json_object(request))
        except (TypeError, ValueError) as error:
            raise BadRequest(str(error)) from error
        return self._settings(request)

    def _clock(self, request: Request) -> Response:
        ahead_s = json_object(request).get("ahead_s", 0)
        if not isinstance(ahead_s, int | float):
            raise BadRequest("ahead_s is a number.")
        self._supabase.service.clock.ahead_s = float(ahead_s)
        return json_answer({"ahead_s": ahead_s})

    def _keys(self, request: Request) -> Response:
        order = json_object(request)
        service = self._supabase.service
        if "signing" in order:
            try:
                service.settings.change({"signing": order["signing"]})
            except ValueError as error:
                raise BadRequest(str(error)) from error
            service.keys = KeyRing(service.settings.signing)
        elif order.get("act") == "rotate":
            service.keys.rotate()
        elif order.get("act") == "revoke":
            service.keys.revoke()
        else:
            raise BadRequest("act is rotate or revoke.")
        return json_answer(service.keys.public())

    def _sign(self, request: Request) -> Response:
        claims = json_object(request).get("claims")
        if not isinstance(claims, dict):
            raise BadRequest("claims is an object.")
        return json_answer({"token": self._supabase.service.keys.sign(claims)})

    def _faults(self, request: Request) -> Response:
        order = json_object(request)
        endpoint, times = str(order.get("endpoint")), order.get("times", 1)
        if endpoint not in ENDPOINTS:
            raise BadRequest(f"endpoint must be one of {', '.join(ENDPOINTS)}.")
        if type(times) is not int or not 1 <= times <= MAX_CALLS:
            raise BadRequest(f"times must be a number from 1 to {MAX_CALLS}.")
        try:
            fault = Fault.from_order(order)
        except (TypeError, ValueError) as error:
            raise BadRequest(str(error)) from error
        self._supabase.faults.order(endpoint, fault, times)
        return json_answer({"ordered": asdict(fault)})

    def _forget_faults(self, _request: Request) -> Response:
        self._supabase.faults.clear()
        return json_answer({"ordered": None})
