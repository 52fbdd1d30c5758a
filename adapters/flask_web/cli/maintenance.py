"""What has to be done now and then, by a worker or by web processes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Self

from creditcore.domain.errors import CreditcoreError
from creditcore.services import Services

_RECOVER_EVERY_S = 10.0
_MIRRORS_EVERY_S = 5.0
_FUNDS_EVERY_S = 60.0
_EXPIRE_EVERY_S = 10.0
_STOPS_EVERY_S = 15.0
_PRICES_EVERY_S = 60.0
_FIRST_PRICES_EVERY_S = 10.0
_PAYMENTS_EVERY_S = 60.0
_BALANCES_EVERY_S = 15.0
_TOP_UPS_EVERY_S = 5.0
_WEEKS_EVERY_S = 60.0
_RATES_EVERY_S = 300.0
# Often: each time forgets one batch, so that no lock is held for long.
_FORGET_EVERY_S = 600.0
_WEBHOOKS_EVERY_S = 10.0
_ROLL_UP_EVERY_S = 30.0
_LOOK_BACK_EVERY_S = 600.0
_JOBS_EVERY_S = 1.0
_SCHEDULE_EVERY_S = 10.0
_LAST_CHORE_S = 10.0

_log = logging.getLogger(__name__)


class Maintenance:
    """Runs chores, each at its own pace. Every chore may run anywhere, any number of times."""

    def __init__(self, chores: Mapping[str, tuple[float, Callable[[], int]]]) -> None:
        self._chores = chores

    @classmethod
    def of_gateway(cls, services: Services) -> Self:
        """Return what each gateway does: what only its own host sees, and its first price list."""
        return cls(
            {
                "settlements recovered": (_RECOVER_EVERY_S, services.calls.recovery.recover),
                "copies of keys in use": (_MIRRORS_EVERY_S, services.keys.keyring.refresh),
                "first prices": (_FIRST_PRICES_EVERY_S, services.calls.prices.refresh_if_empty),
            }
        )

    @classmethod
    def of_worker(cls, services: Services) -> Self:
        """Return everything, a worker's own host included."""
        jobs = {
            f"{kind} jobs done": (_JOBS_EVERY_S, partial(services.operations.runner.run_due, kind))
            for kind in services.operations.runner.handlers
        }
        return cls(
            {
                "settlements recovered": (_RECOVER_EVERY_S, services.calls.recovery.recover),
                "copies of keys in use": (_MIRRORS_EVERY_S, services.keys.keyring.refresh),
                "mirrors to look at": (_FUNDS_EVERY_S, services.keys.mirrors.look_again),
                "keys mirrored": (_MIRRORS_EVERY_S, services.keys.mirrors.sync_due),
                "jobs scheduled": (_SCHEDULE_EVERY_S, services.operations.runner.enqueue_recurring),
                **jobs,
                "sessions forgotten": (_FORGET_EVERY_S, services.people.sessions.forget_old),
                "jobs forgotten": (_FORGET_EVERY_S, services.operations.runner.forget_closed),
                "runaway keys paused": (_STOPS_EVERY_S, services.keys.stops.look),
                "expired holds": (_EXPIRE_EVERY_S, services.calls.expiry.expire),
                "models priced": (_PRICES_EVERY_S, services.calls.prices.refresh),
                "webhooks worked off": (_WEBHOOKS_EVERY_S, services.payments.inbox.process_due),
                "payments decided": (_PAYMENTS_EVERY_S, services.payments.poller.confirm_pending),
                "documents issued": (_WEBHOOKS_EVERY_S, services.payments.documents.issue_due),
                "refunds followed": (_PAYMENTS_EVERY_S, services.payments.refund_follower.chase),
                "wallets topped up": (_TOP_UPS_EVERY_S, services.payments.top_ups.run_due),
                "low balances told of": (_BALANCES_EVERY_S, services.payments.balances.look),
                "weekly summaries sent": (_WEEKS_EVERY_S, services.books.weeks.send_due),
                "currencies without a rate": (_RATES_EVERY_S, services.payments.rates.check),
                "payments' details forgotten": (_FORGET_EVERY_S, services.payments.forget.forget),
                "answers forgotten": (_PAYMENTS_EVERY_S, services.calls.repeats.forget_old),
                "calls rolled up": (_ROLL_UP_EVERY_S, services.books.usage.roll_up),
                "hours mended": (_LOOK_BACK_EVERY_S, services.books.usage.mend),
                "refused calls forgotten": (_LOOK_BACK_EVERY_S, services.calls.refusals.tidy),
            }
        )

    def run_once(self) -> dict[str, int]:
        """Do every chore now; return what each counted, 0 where it could not be done."""
        return {name: self._do(name, chore) for name, (_, chore) in self._chores.items()}

    def run_until(self, stop: threading.Event) -> None:
        """Do each chore again and again, until told to stop.

        None waits for another: a payment provider that hangs must not keep holds open. One
        that hangs when it is time to stop is left behind; all may be cut short anywhere.
        """
        workers = [
            threading.Thread(target=self._repeat, args=(name, stop), name=name, daemon=True)
            for name in self._chores
        ]
        for worker in workers:
            worker.start()
        stop.wait()
        deadline = time.monotonic() + _LAST_CHORE_S
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))

    def _repeat(self, name: str, stop: threading.Event) -> None:
        every_s, chore = self._chores[name]
        while not stop.is_set():
            self._do(name, chore)
            stop.wait(every_s)

    @staticmethod
    def _do(name: str, chore: Callable[[], int]) -> int:
        """Do one chore. Its failure is logged, and harms neither the others nor its next time."""
        try:
            count = chore()
        except CreditcoreError as error:
            _log.warning("%s: %s", name, error)
            return 0
        except Exception:  # noqa: BLE001 - a bug in one chore must not stop the others
            _log.exception("%s failed", name)
            return 0
        if count:
            _log.info("%s: %d", name, count)
        return count
