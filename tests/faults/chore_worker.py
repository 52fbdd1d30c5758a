"""Does a chore, says where it is, and stops there to be killed.

``python -m`` it, and write an order as one line of JSON: the chore's name, the URL of a store, the
address of LiteLLM, that of a receiver of alerts, how many hours to be ahead, and the place to stop
at (``before 1`` is before its first commit, ``after 3`` after its third). A fork of this process
does it. It answers ``stopped PID`` there, and ``ended STATUS`` when the fork is gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from adapters.litellm.admin import AdminClient
from adapters.litellm.gateway import LiteLLMGateway
from adapters.litellm.keys import LiteLLMKeys
from adapters.litellm.spend_log import LiteLLMSpendLog
from adapters.pony_store import open_store
from adapters.smtp_mail import JinjaTemplates
from adapters.webhooks import StandardWebhook
from creditcore import ChargeUsage, GroupCommit, SystemClock, Tariff
from creditcore.domain.jobs import JobState
from creditcore.domain.monitoring import Finding
from creditcore.usecases.calls.expire_holds import ExpireHolds
from creditcore.usecases.calls.price_list import PriceList
from creditcore.usecases.calls.reconcile_nightly import RECONCILE_USAGE, ReconcileNightly
from creditcore.usecases.calls.reconcile_usage import ReconcileUsage
from creditcore.usecases.jobs.run_jobs import RunJobs
from creditcore.usecases.jobs.send_mail import SendMail
from creditcore.usecases.keys.mirror_keys import MirrorKeys
from creditcore.usecases.monitoring.announce_alerts import ANNOUNCE, SEND_ALERTS, AnnounceAlerts
from creditcore.usecases.monitoring.heal import Heal
from creditcore.usecases.monitoring.watch import WATCH, Watch
from tests.faults.stopping import Stopping

MASTER_KEY = "sk-sandbox-master"
WEBHOOK_SECRET = "whsec_" + "QUJD" * 12
LONGEST_CALL = timedelta(minutes=10)


class Ahead(SystemClock):
    """A clock that is hours ahead, so that leases of before have run out."""

    def __init__(self, hours: int) -> None:
        self._ahead = timedelta(hours=hours)

    def now(self) -> datetime:
        return super().now() + self._ahead


class Room(NamedTuple):
    """What chores are made of."""

    store: Any
    clock: Ahead
    admin: AdminClient
    receiver: str

    def work_off(self, handlers: dict[str, Any]) -> None:
        """Run jobs until none of them waits."""
        runner = RunJobs(transactions=self.store, clock=self.clock, handlers=handlers)
        while self.waits(handlers):
            for kind in handlers:
                runner.run_due(kind)

    def waits(self, kinds: dict[str, Any]) -> bool:
        with self.store.begin() as tx:
            waiting = tx.jobs.listing(limit=10, states=[JobState.WAITING])
            return any(job.kind in kinds for job in waiting)


def mirror(room: Room) -> None:
    keys = LiteLLMKeys(admin=room.admin, auth_secret=b"a secret of these tests")
    MirrorKeys(
        transactions=room.store, clock=room.clock, upstream=keys, tariff=Tariff.parse()
    ).sync_due()


def prices(room: Room) -> None:
    gateway = LiteLLMGateway(room.admin)
    PriceList(transactions=room.store, gateway=gateway, clock=room.clock).refresh()


def news(room: Room) -> None:
    templates = JinjaTemplates(dict.fromkeys(("name", "base_url"), ""))
    announcer = AnnounceAlerts(
        transactions=room.store,
        clock=room.clock,
        mails=SendMail(transactions=room.store, templates=templates, mailer=None, clock=room.clock),
        webhook=StandardWebhook(url=room.receiver, secret=WEBHOOK_SECRET, clock=room.clock),
    )
    room.work_off({ANNOUNCE: announcer.announce, SEND_ALERTS: announcer.send})


def reconcile(room: Room) -> None:
    usage = ReconcileUsage(
        transactions=room.store, log=LiteLLMSpendLog(room.admin), longest_call=LONGEST_CALL
    )
    nightly = ReconcileNightly(transactions=room.store, clock=room.clock, usage=usage)
    room.work_off({RECONCILE_USAGE: nightly.run})


def heal(room: Room) -> None:
    with GroupCommit(transactions=room.store, clock=room.clock) as commits:
        expiry = ExpireHolds(
            transactions=room.store,
            clock=room.clock,
            charge=ChargeUsage(commits=commits, transactions=room.store, clock=room.clock),
            log=LiteLLMSpendLog(room.admin),
        )
        healing = Heal(transactions=room.store, clock=room.clock, remedies={"holds": expiry.expire})
        watch = Watch(
            transactions=room.store,
            clock=room.clock,
            checks={"holds": lambda: Finding(is_healthy=False)},
            heal=healing.heal,
        )
        room.work_off({WATCH: watch.watch})


CHORES: dict[str, Callable[[Room], None]] = {
    chore.__name__: chore for chore in (mirror, prices, news, reconcile, heal)
}


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def stop() -> None:
    say(f"stopped {os.getpid()}")
    signal.pause()


def do(order: dict[str, Any]) -> None:
    with closing(open_store(order["url"], wait_s=60)) as store:
        room = Room(
            store=Stopping(store, order["place"], stop),
            clock=Ahead(order["hours"]),
            admin=AdminClient(base_url=order["litellm"], master_key=MASTER_KEY),
            receiver=order["receiver"],
        )
        CHORES[order["chore"]](room)


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            status = 1
            try:
                do(json.loads(line))
                status = 0
            except BaseException:  # noqa: BLE001 - the test sees it
                traceback.print_exc()
            finally:
                os._exit(status)
        say(f"ended {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")


if __name__ == "__main__":
    main()
