"""Reconciles two hours and then a day of calls, and says what it found and the memory it took.

``python -m`` it with the URL of a store, the address of LiteLLM's log, and where the day begins.
"""

from __future__ import annotations

import json
import sys
import tracemalloc
from contextlib import closing
from datetime import datetime, timedelta

from adapters.litellm.admin import AdminClient
from adapters.litellm.spend_log import LiteLLMSpendLog
from adapters.pony_store import open_store
from creditcore.usecases.calls.reconcile_usage import ReconcileUsage


def main(url: str, log: str, begins: str) -> None:
    begin = datetime.fromisoformat(begins)
    with closing(open_store(url, wait_s=60)) as store:
        reconcile = ReconcileUsage(
            transactions=store,
            log=LiteLLMSpendLog(AdminClient(base_url=log, master_key="sk-of-the-log")),
            longest_call=timedelta(minutes=10),
        )
        tracemalloc.start()
        peaks = []
        for hours in (2, 24):
            tracemalloc.reset_peak()
            report = reconcile.reconcile(begin, begin + timedelta(hours=hours))
            peaks.append(tracemalloc.get_traced_memory()[1])
    print(  # noqa: T201 - how the test knows
        json.dumps(
            {
                "peaks": peaks,
                "compared": report.compared,
                "foreign": report.foreign,
                "findings": [[each.call_id, each.kind] for each in report.findings],
                "counted": sum(report.counts.values()),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
