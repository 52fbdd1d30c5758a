"""Runs SDKs beside each other, once each, and remembers what became of every case."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from creditcore import IssueKey, SystemClock, SystemIds
from tests.clients.cases import CASES, DOCUMENT, PICTURE, Case
from tests.clients.sdks import HERE, Sdk
from tests.stack import AUTH_SECRET, Account, Stack

TIMEOUT_S = 900
AT_ONCE = 4
"""More than there are processors: most of their time they wait, before they try again."""


@dataclass(frozen=True)
class Run:
    """What became of a client's cases, each with an account of its own."""

    stack: Stack
    accounts: dict[str, Account]
    reports: dict[str, dict[str, Any]]
    output: str

    def said(self, case: str) -> Any:
        """Return what the client returned; fail where it failed."""
        report = self.reports.get(case, {"failed": self.output})
        assert "failed" not in report, report["failed"]
        return report["said"]

    def upstream(self, case: str) -> list[dict[str, Any]]:
        """Return the calls that reached the model server, by their prompts."""
        marker = self.accounts[case].wallet_id
        return [
            call for call in self.stack.upstream()["calls"] if marker in json.dumps(call["body"])
        ]

    def refusals(self, case: str) -> list[Any]:
        """Return the calls that were refused before they began."""
        with self.stack.store.begin() as tx:
            return list(tx.refusals.older(self.accounts[case].wallet_id, limit=100))


class Runs:
    """Every run that is wanted, begun at once."""

    def __init__(self, stack: Stack, sdks: Iterable[Sdk], folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._runs: dict[Sdk, Future[Run]] = {
            sdk: self._pool.submit(self._run, sdk) for sdk in sdks
        }

    def of(self, sdk: Sdk) -> Run:
        """Return a client's run once it has ended."""
        return self._runs[sdk].result()

    def close(self) -> None:
        """Begin no further run, and wait for those that go on."""
        self._pool.shutdown(cancel_futures=True)

    def _run(self, sdk: Sdk) -> Run:
        cases = [case for name, case in CASES.items() if name not in sdk.lacks]
        accounts = {case.name: an_account(self._stack, case) for case in cases}
        asked = {
            case.name: {
                "key": accounts[case.name].api_key,
                "prompt": f"Say hello {case.order} {accounts[case.name].wallet_id}",
            }
            for case in cases
        }
        home = self._folder / sdk.name.replace(" ", "-")
        home.mkdir()
        report = home / "report"
        report.touch()
        environ = {
            **os.environ,
            "HOME": str(home),
            "BASE_URL": self._stack.base_url,
            "CASES": json.dumps(asked),
            "PICTURE": base64.b64encode(PICTURE).decode(),
            "DOCUMENT": base64.b64encode(DOCUMENT).decode(),
            "REPORT": str(report),
        }
        done = subprocess.run(
            sdk.command,
            cwd=HERE,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        lines = [json.loads(line) for line in report.read_text().splitlines()]
        reports = {line.pop("case"): line for line in lines}
        return Run(self._stack, accounts, reports, done.stdout + done.stderr)


def an_account(stack: Stack, case: Case) -> Account:
    """Make somebody for one case."""
    account = stack.an_account(credits_=case.credits_)
    if case.revoked:
        with stack.store.begin() as tx:
            [key] = tx.keys.list_of(account.person_id)
        issue = IssueKey(
            transactions=stack.store,
            clock=SystemClock(),
            ids=SystemIds(),
            pepper=AUTH_SECRET.encode(),
        )
        issue.revoke(key.id, owner_id=account.person_id)
    return account
