"""Mails of local accounts, asked for in a transaction and written later by a worker.

A request looks the same whether or not there is an account: a visitor waits for one row
to be written, and the worker finds out. The outbox holds no token: it is made when it is mailed.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from creditcore.domain.identities import LinkKind
from creditcore.ports.transactions import Transaction

LINK_JOB = "mail_link"
NOTICE_JOB = "mail_notice"

_WINDOW_S = 60
"""Asked again within it, nothing more is sent."""


def request_link(
    tx: Transaction,
    kind: LinkKind,
    email: str,
    *,
    at: datetime,
    next_path: str = "",
    new_account: bool = False,
    person_id: str = "",
) -> None:
    """Ask for a link to be mailed, once a minute for each kind, address and person.

    Args:
        tx: Whose commit sends it on its way.
        kind: What the link is for.
        email: Where it goes, in the stored form.
        at: Now.
        next_path: Where the link leads on to.
        new_account: A person signed up: who has an account already is told so.
        person_id: Whose address is new, or is to change.
    """
    minute = int(at.timestamp()) // _WINDOW_S
    name = hashlib.sha256(f"{email} {person_id}".encode()).hexdigest()[:32]
    payload = {
        "kind": str(kind),
        "email": email,
        "next": next_path,
        "new_account": new_account,
        "person_id": person_id,
    }
    tx.jobs.enqueue(LINK_JOB, f"{kind}-{name}-{minute}", payload, run_at=at)


def request_notice(
    tx: Transaction, what: str, email: str, *, at: datetime, detail: str = ""
) -> None:
    """Ask for a person to be told what happened to their account."""
    name = hashlib.sha256(f"{email} {detail}".encode()).hexdigest()[:32]
    payload = {"what": what, "email": email, "detail": detail}
    tx.jobs.enqueue(NOTICE_JOB, f"{what}-{name}-{int(at.timestamp() * 1000)}", payload, run_at=at)
