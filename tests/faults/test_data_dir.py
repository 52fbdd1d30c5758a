"""A folder for data that cannot be written, or whose disk is full: said, and no process dies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.faults.outcomes import HI_COSTS
from tests.faults.read_only import obey_permissions, read_only
from tests.faults.wire import call, chat_body
from tests.faults.workers import workers_of
from tests.stack import GUNICORN, REPOSITORY, Stack, running_stack, wait_until
from tests.stores import migrated_postgres_database

HI = chat_body("[[sim tokens=3 prompt=11]]")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway whose books are elsewhere."""
    data = tmp_path_factory.mktemp("data")
    with migrated_postgres_database() as url, running_stack(url, data) as stack:
        yield stack


def started_on(gateway: Stack, folder: Path) -> subprocess.CompletedProcess[str]:
    """Start another gateway, which may not write to a folder; return how it ended."""
    environ = {**gateway.environ, "DATA_DIR": str(folder), "PORT": "0"}
    environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    return subprocess.run(
        [GUNICORN, "-c", "gunicorn.conf.py", "wsgi:app"],
        env=environ,
        cwd=REPOSITORY,
        preexec_fn=obey_permissions,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_gateway_does_not_start_where_it_cannot_write(gateway: Stack, tmp_path: Path) -> None:
    with read_only(tmp_path):
        ended = started_on(gateway, tmp_path)

    assert ended.returncode == 1
    assert f"DATA_DIR cannot be written: '{tmp_path}': Permission denied" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_doctor_says_that_the_folder_cannot_be_written(gateway: Stack, tmp_path: Path) -> None:
    with read_only(tmp_path):
        told = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "doctor"],
            env={**gateway.environ, "DATA_DIR": str(tmp_path)},
            cwd=REPOSITORY,
            preexec_fn=obey_permissions,
            capture_output=True,
            text=True,
            check=False,
        )

    assert told.returncode == 1
    assert f"FAIL  data folder ({tmp_path}): DATA_DIR cannot be written" in told.stdout


def test_calls_go_on_while_the_journal_cannot_be_written(gateway: Stack) -> None:
    account = gateway.an_account(credits_="100")
    before = workers_of(gateway)
    # No call has made the folder yet.
    journal = Path(gateway.environ["DATA_DIR"]) / "journal"
    journal.write_text("no folder")

    answers = [call(gateway.base_url, HI, key=account.api_key) for _ in range(5)]

    assert {each.status for each in answers} == {200}
    told = requests.get(f"{gateway.base_url}/readyz", timeout=60)
    assert (told.status_code, told.json()["checks"]["journal"]) == (200, False)
    assert "DATA_DIR" in told.json()["missing"][0]
    wallet = gateway.settled_wallet_of(account.person_id)
    assert wallet.available.microcredits == 100 * 10**6 - 5 * HI_COSTS.microcredits
    assert workers_of(gateway) == before

    journal.unlink()
    assert call(gateway.base_url, HI, key=account.api_key).status == 200

    wait_until(
        lambda: requests.get(f"{gateway.base_url}/readyz", timeout=60).json()["checks"]["journal"]
    )
    assert gateway.audit().clean
