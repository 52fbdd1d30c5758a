"""A day of calls is reconciled in the memory of an hour, and each planted difference is found.

``make faults TIMES=250`` does so for a million calls.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing

from adapters.pony_store import open_store
from creditcore.domain.spend import Difference
from tests.faults.length import TIMES
from tests.faults.spend_log_of_a_day import BEGIN, Calls, served
from tests.stack import REPOSITORY
from tests.stores import migrated_postgres_database


def test_a_day_of_calls_takes_the_memory_of_an_hour_and_nothing_else_is_found() -> None:
    calls = Calls(number=4_000 * TIMES)
    with migrated_postgres_database() as url, served(calls) as log:
        with closing(open_store(url, wait_s=60)) as store:
            calls.keep(store, url)
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.spend_reconciler", url, log, BEGIN.isoformat()],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )

    found = json.loads(done.stdout)
    planted = calls.planted
    assert dict(found["findings"]) == {calls.name(at): kind for at, kind in planted.items()}
    assert found["counted"] == len(found["findings"]) == len(planted)
    absent = list(planted.values()).count(Difference.UNKNOWN_HERE)
    assert found["foreign"] == list(planted.values()).count(Difference.UNKNOWN_THERE)
    assert found["compared"] == calls.number - absent - found["foreign"]
    # Twelve times the calls.
    of_two_hours, of_the_day = found["peaks"]
    assert of_the_day < 2 * of_two_hours
