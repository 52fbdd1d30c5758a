"""What is built from this repository works where there is no repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.stores import fresh_postgres_database

REPOSITORY = Path(__file__).resolve().parents[2]
EMBEDDING = (REPOSITORY / "docs" / "embedding.md").read_text()
README = (REPOSITORY / "README.md").read_text()

LEDGER_ALONE = """
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from creditcore import ChargeUsage, Credits, GroupCommit, OpenWallet, SystemClock
from creditcore.ports.ledger import Ledger
from creditcore.testing.memory import MemoryTransaction, MemoryTransactions


class MyTransaction:
    def __init__(self, memory: MemoryTransaction) -> None:
        self.ledger: Ledger = memory.ledger
        self.commit = memory.commit


class MyStore:
    def __init__(self) -> None:
        self.memory = MemoryTransactions()

    @contextmanager
    def begin(self) -> Iterator[MyTransaction]:
        with self.memory.begin() as memory:
            yield MyTransaction(memory)


store, clock = MyStore(), SystemClock()
OpenWallet(transactions=store).open("acme")
with GroupCommit(transactions=store, clock=clock) as commits:
    charge = ChargeUsage(
        commits=commits, transactions=store, clock=clock, lifetime=timedelta(minutes=1)
    )
    hold = charge.authorize("acme", ceiling=Credits(0), reference="free").hold
    print(charge.settle(hold, Credits(0)).charged, charge.expire())
"""


# A use case takes each store that has the ports it uses, and no other: what is ignored here is
# refused, for --strict tells of an ignore that is not needed.
SOME_PORTS = """
from creditcore import (
    Begins, Clock, ConfirmPayment, ConvertCurrency, GrantCredits, Ids, IssueKey, PaymentGateway,
    PollPayments, SellCredits,
)
from creditcore.ports.activity import ActivityLog
from creditcore.ports.keys import ApiKeys
from creditcore.ports.ledger import Ledger
from creditcore.ports.people import People
from creditcore.ports.purchases import Purchases
from creditcore.ports.statements import Statements
from creditcore.ports.teams import Teams
from creditcore.usecases.keys.change_key import ChangeKey
from creditcore.usecases.payments.clear_debt import ClearDebt
from creditcore.usecases.payments.write_statement import WriteStatement
from creditcore.usecases.people.grant_role import GrantRole


class Commits:
    def commit(self) -> None: ...


class Books(Commits):
    ledger: Ledger


class Grants(Books):
    activity: ActivityLog


class Keys(Grants):
    keys: ApiKeys
    people: People
    teams: Teams


class Sales(Books):
    purchases: Purchases


class Statement:
    statements: Statements


def grant(books: Begins[Books], grants: Begins[Grants], clock: Clock, ids: Ids) -> None:
    GrantCredits(transactions=grants, clock=clock)
    ClearDebt(transactions=grants, clock=clock, ids=ids)
    GrantCredits(transactions=books, clock=clock)  # type: ignore[arg-type]


def issue(grants: Begins[Grants], keys: Begins[Keys], clock: Clock, ids: Ids) -> None:
    IssueKey(transactions=keys, clock=clock, ids=ids, pepper=b"")
    ChangeKey(transactions=keys, clock=clock, ids=ids, pepper=b"")
    GrantRole(transactions=keys, clock=clock)
    IssueKey(transactions=grants, clock=clock, ids=ids, pepper=b"")  # type: ignore[arg-type]


def sell(
    sales: Begins[Sales],
    gateway: PaymentGateway,
    payments: ConfirmPayment,
    converter: ConvertCurrency,
    clock: Clock,
    ids: Ids,
) -> None:
    SellCredits(
        transactions=sales,
        gateway=gateway,
        payments=payments,
        converter=converter,
        clock=clock,
        ids=ids,
    )
    PollPayments(transactions=sales, payments=payments, clock=clock)
    ConfirmPayment(transactions=sales, gateway=gateway, clock=clock)  # type: ignore[arg-type]


def write(statement: Begins[Statement], books: Begins[Books]) -> None:
    WriteStatement(transactions=statement)
    WriteStatement(transactions=books)  # type: ignore[arg-type]
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both wheels as the page says; return a Python that has them and what they need."""
    [build] = re.findall(r"^pip (wheel .*)$", EMBEDDING, re.MULTILINE)
    folder = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    command = [*pip, *build.replace(" dist ", f" {folder / 'dist'} ").split()]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    wheels = sorted((folder / "dist").glob("*.whl"))
    assert [wheel.name.partition("-")[0] for wheel in wheels] == ["creditcore", "creditcore_store"]

    venv.create(folder / "mine")
    mine = folder / "mine" / "bin" / "python"
    subprocess.run(
        [*pip, "--python", mine, "install", "--no-index", "--no-deps", *wheels], check=True
    )
    [packages] = (folder / "mine" / "lib").glob("python*/site-packages")
    [installed] = metadata.distributions(name="creditcore-store", path=[str(packages)])
    # Linked instead of downloaded: exactly what the wheel declares, and what that needs.
    for name in _needed(installed, extra="postgres"):
        for top in {file.parts[0] for file in metadata.files(name) or ()} - {"..", "__pycache__"}:
            (packages / top).symlink_to(metadata.distribution(name).locate_file(top))
    return mine


def _needed(distribution: metadata.Distribution, *, extra: str = "") -> set[str]:
    needed: set[str] = set()
    for line in distribution.requires or ():
        requirement = Requirement(line)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": extra})
        name = canonicalize_name(requirement.name)
        if wanted and name != "creditcore":
            needed |= {name, *_needed(metadata.distribution(name))}
    return needed


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield "sqlite:///credits.db"
    else:
        with fresh_postgres_database() as address:
            yield address


def run(python: Path, program: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [python, "-I", "-c", program, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_service_answers_as_the_page_says_and_charges_once(
    python: Path, url: str, tmp_path: Path
) -> None:
    [(program, printed)] = _service()

    assert [run(python, program, tmp_path, url) for _ in range(2)] == [printed, printed]


def test_the_readme_embeds_as_it_says(python: Path, tmp_path: Path) -> None:
    [program] = _readme()
    look = "with store.begin() as tx: print(tx.ledger.find_wallet('acme').available)"

    assert run(python, f"{program}\n{look}", tmp_path) == "487.5\n"


def test_charging_asks_a_store_for_its_ledger_alone(python: Path, tmp_path: Path) -> None:
    assert run(python, LEDGER_ALONE, tmp_path) == "0 0\n"


def test_programs_type_check_against_the_wheels(python: Path, tmp_path: Path) -> None:
    [(service, _)] = _service()
    [readme] = _readme()
    programs = {
        "service.py": service,
        "readme.py": readme,
        "ledger_alone.py": LEDGER_ALONE,
        "some_ports.py": SOME_PORTS,
    }
    for name, program in programs.items():
        (tmp_path / name).write_text(program)

    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--cache-dir", "mypy"),
            *("--python-executable", python, *programs),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.startswith("Success"), done.stdout


def _service() -> list[tuple[str, str]]:
    return re.findall(
        r"## A service\n.*?```python\n(.*?)```\n.*?```\n(.*?)```", EMBEDDING, re.DOTALL
    )


def _readme() -> list[str]:
    return re.findall(r"## Embed it\n\n```python\n(.*?)```", README, re.DOTALL)
