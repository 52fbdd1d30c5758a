"""Chores are done at their own pace, and none harms another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.flask_web.cli import maintenance
from adapters.flask_web.cli.maintenance import Maintenance
from tests.stack import PATIENCE_S, wait_until


def chores(**named: Any) -> Maintenance:
    """Return the chores, of which those that are not named have nothing to do."""
    names = (
        "recover",
        "copies",
        "sync_due",
        "look_again",
        "run_due",
        "expire",
        "refresh",
        "process_due",
        "confirm_pending",
        "chase",
        "issue_due",
        "roll_up",
        "mend",
        "tidy",
        "check",
        "look",
        "forget",
        "forget_old",
    )
    done: dict[str, Any] = {**dict.fromkeys(names, lambda: 0), **named}
    services: Any = SimpleNamespace(
        calls=SimpleNamespace(
            expiry=SimpleNamespace(expire=done["expire"]),
            prices=SimpleNamespace(refresh=done["refresh"]),
            recovery=SimpleNamespace(recover=done["recover"]),
            refusals=SimpleNamespace(tidy=done["tidy"]),
            repeats=SimpleNamespace(forget_old=done["forget_old"]),
        ),
        keys=SimpleNamespace(
            keyring=SimpleNamespace(refresh=done["copies"]),
            mirrors=SimpleNamespace(sync_due=done["sync_due"], look_again=done["look_again"]),
            stops=SimpleNamespace(look=done["look"]),
        ),
        payments=SimpleNamespace(
            inbox=SimpleNamespace(process_due=done["process_due"]),
            poller=SimpleNamespace(confirm_pending=done["confirm_pending"]),
            refund_follower=SimpleNamespace(chase=done["chase"]),
            rates=SimpleNamespace(check=done["check"]),
            balances=SimpleNamespace(look=done["look"]),
            top_ups=SimpleNamespace(run_due=lambda: 0),
            documents=SimpleNamespace(issue_due=done["issue_due"]),
            forget=SimpleNamespace(forget=done["forget"]),
        ),
        people=SimpleNamespace(sessions=SimpleNamespace(forget_old=lambda: 0)),
        books=SimpleNamespace(
            usage=SimpleNamespace(roll_up=done["roll_up"], mend=done["mend"]),
            weeks=SimpleNamespace(send_due=lambda: 0),
        ),
        operations=SimpleNamespace(
            runner=SimpleNamespace(
                handlers={"send_mail": done["run_due"]},
                run_due=lambda _kind: done["run_due"](),
                enqueue_recurring=lambda: 0,
                forget_closed=lambda: 0,
            ),
        ),
    )
    return Maintenance.of_worker(services)


@contextmanager
def running(work: Maintenance) -> Iterator[threading.Thread]:
    stop = threading.Event()
    thread = threading.Thread(target=work.run_until, args=(stop,), daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(PATIENCE_S)


@pytest.mark.parametrize("fails", [False, True], ids=["hangs", "fails"])
def test_a_chore_that_hangs_or_fails_harms_no_other(
    monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    monkeypatch.setattr(maintenance, "_EXPIRE_EVERY_S", 0.001)
    hanging, expired = threading.Event(), []

    def confirm_pending() -> int:
        if fails:
            raise ZeroDivisionError
        hanging.wait(PATIENCE_S)
        return 0

    def expire() -> int:
        expired.append(1)
        return 1

    with running(chores(expire=expire, confirm_pending=confirm_pending)):
        wait_until(lambda: len(expired) >= 3)
        hanging.set()


def test_a_process_does_not_wait_for_ever_for_a_chore_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(maintenance, "_LAST_CHORE_S", 0.01)
    begun, hanging = threading.Event(), threading.Event()

    def refresh() -> int:
        begun.set()
        hanging.wait()
        return 0

    with running(chores(refresh=refresh)) as thread:
        assert begun.wait(PATIENCE_S)

    assert not thread.is_alive()
    hanging.set()


def test_once_everything_is_done_whatever_fails() -> None:
    def broken() -> int:
        raise ZeroDivisionError

    done = chores(
        run_due=lambda: 4,
        expire=lambda: 2,
        refresh=broken,
        process_due=lambda: 3,
        confirm_pending=lambda: 1,
    ).run_once()

    assert done == {
        "settlements recovered": 0,
        "copies of keys in use": 0,
        "keys mirrored": 0,
        "mirrors to look at": 0,
        "jobs scheduled": 0,
        "send_mail jobs done": 4,
        "sessions forgotten": 0,
        "jobs forgotten": 0,
        "expired holds": 2,
        "models priced": 0,
        "webhooks worked off": 3,
        "payments decided": 1,
        "calls rolled up": 0,
        "hours mended": 0,
        "refused calls forgotten": 0,
        "refunds followed": 0,
        "wallets topped up": 0,
        "low balances told of": 0,
        "weekly summaries sent": 0,
        "runaway keys paused": 0,
        "currencies without a rate": 0,
        "documents issued": 0,
        "payments' details forgotten": 0,
        "answers forgotten": 0,
    }
