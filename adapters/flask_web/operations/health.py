"""Whether this process should get traffic."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, jsonify

from adapters.flask_web.context import services
from creditcore.domain.errors import StoreError

blueprint = Blueprint("health", __name__)

_NO_PRICES = (
    "There is no price list yet: it is fetched from LITELLM_BASE_URL every ten seconds until there "
    "is one. 'doctor' says what is wrong with it."
)

_NO_JOURNAL = (
    "What calls cost cannot be noted in DATA_DIR ({fault}): should this process die, it loses the "
    "charges that it is about to commit."
)

_log = logging.getLogger(__name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Say that the process runs. Restart it when this does not answer."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Say whether calls can be served: the ledger answers, and there is a price list.

    The model server's own health is not asked: while it is down, pages and payments
    still work, and calls are refused with a clear error. Nor does a journal that cannot be
    written keep calls out: it is told, and somebody has to mend it.
    """
    fault = services().journal.fault
    checks = {"ledger": False, "prices": False, "journal": fault is None}
    missing = ["The database does not answer, or its tables are not made: run 'migrate'."]
    try:
        with services().transactions.begin() as tx:
            checks["prices"] = bool(tx.prices.all())
        checks["ledger"] = True
        missing = [] if checks["prices"] else [_NO_PRICES]
    except StoreError as error:
        _log.warning("the ledger is not reachable: %s", error)
    ready = checks["ledger"] and checks["prices"]
    if fault is not None:
        missing.append(_NO_JOURNAL.format(fault=fault))
    status = "ready" if ready else "not ready"
    return jsonify(status=status, checks=checks, missing=missing), 200 if ready else 503
