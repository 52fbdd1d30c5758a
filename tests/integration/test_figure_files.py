"""Figures are kept in files without holes, and no full disk ends a process that counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.prometheus.figure_files import ROOM_BYTES, FigureFile
from tests.processes import ROOT

COUNTING = """
import resource, sys
from pathlib import Path
if sys.argv[1] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 65536, resource.RLIM_INFINITY))
from adapters.prometheus import PrometheusMetrics
metrics = PrometheusMetrics()
for number in range(100):
    metrics.calls.labels("/v1/chat/completions", f"model-{number}", "done").inc()
print(metrics.scrape([]).decode().count("\\ncreditcore_calls_total{"))
"""


def counted(folder: Path, disk: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, disk],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_files_of_figures_have_no_holes(tmp_path: Path) -> None:
    assert counted(tmp_path, "roomy") == "100"

    files = list(tmp_path.iterdir())
    assert files
    for file in files:
        assert file.stat().st_blocks * 512 >= ROOM_BYTES


def test_a_process_counts_by_itself_where_there_is_no_room(tmp_path: Path) -> None:
    assert counted(tmp_path, "full") == "0"


@pytest.mark.parametrize("is_full", [False, True])
def test_a_file_that_is_full_grows_on_a_full_disk_too(tmp_path: Path, *, is_full: bool) -> None:
    file = FigureFile(str(tmp_path / "counter_1.db"))
    keys = [f"{number:0300}" for number in range(ROOM_BYTES // 300)]

    if is_full:
        # It can be made no longer, as on a disk without room.
        file._f.close()
        file._f = (tmp_path / "counter_1.db").open("rb")

    for key in keys:
        file.write_value(key, 1.0, 0.0)

    assert {file.read_value(key) for key in keys} == {(1.0, 0.0)}
    file.close()
