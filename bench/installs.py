"""Other people's programs, fetched into a directory of our own; nothing of the system changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.place import Place

# Pinned: 1.82.7, 1.82.8 and 1.107.0 were compromised, and none after the cut-off is looked at.
LITELLM = "litellm[proxy]==1.91.5"
LITELLM_RELEASED_BEFORE = "2026-10-20"
PORTKEY = {
    "private": True,
    "dependencies": {"@portkey-ai/gateway": "1.15.2"},
    # Which its own lock file has. With later ones, which npm would take, each of its streams
    # fails: it changes headers that are immutable there (its issue 1389).
    "overrides": {"@hono/node-server": "1.13.5"},
}

TOOLS = ("uv==0.13.9", "py-spy==0.4.3")

_TIMEOUT_S = 900
_DONE = ".complete"


class MissingError(Exception):
    """Something to measure, or to measure with, cannot be had on this machine."""


@dataclass(frozen=True, slots=True)
class Program:
    """An executable, and what it needs to find its libraries.

    Attributes:
        environ: Variables it must be started with.
    """

    path: Path
    environ: dict[str, str]


@dataclass(frozen=True, slots=True)
class Installs:
    """Installs what is missing, once; later runs find it."""

    place: Place

    def wrk(self) -> Program:
        """Return the load generator for plain calls.

        Raises:
            MissingError: Neither the system nor its package archive has it.
        """
        return self._from_debian("wrk", "usr/bin/wrk", ("wrk", "libluajit-5.1-2"))

    def nginx(self) -> Program:
        """Return nginx: the stand-in of plain calls, and the bare proxy.

        Raises:
            MissingError: Neither the system nor its package archive has it.
        """
        return self._from_debian("nginx", "usr/sbin/nginx", ("nginx",))

    def node(self) -> Path:
        """Return Node.js, which has to be there.

        Raises:
            MissingError: It is not.
        """
        return _on_path("node")

    def litellm(self) -> Path:
        """Return the command of a LiteLLM proxy in an environment of its own.

        Raises:
            MissingError: It could not be installed.
        """
        home = self.place.installed / "litellm"
        python = home / "bin" / "python"
        if not (home / _DONE).exists():
            _new_venv(home)
            _run(
                self._tool("uv"), "pip", "install", "--quiet", "--python", python,
                "--exclude-newer", LITELLM_RELEASED_BEFORE, LITELLM,
            )  # fmt: skip
            (home / _DONE).touch()
        return home / "bin" / "litellm"

    def portkey(self) -> Path:
        """Return the script that starts Portkey's gateway.

        Raises:
            MissingError: It could not be installed.
        """
        home = self.place.installed / "portkey"
        script = home / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
        if not (home / _DONE).exists():
            say("installing portkey")
            home.mkdir(parents=True, exist_ok=True)
            (home / "package.json").write_text(json.dumps(PORTKEY))
            # Its install scripts patch its own development tools; serving needs none of them.
            _run(
                _on_path("npm"), "install", "--prefix", home, "--no-audit", "--no-fund",
                "--ignore-scripts", "--silent",
            )  # fmt: skip
            (home / _DONE).touch()
        return script

    def py_spy(self) -> Path:
        """Return the sampling profiler.

        Raises:
            MissingError: It could not be installed.
        """
        return self._tool("py-spy")

    def _tool(self, name: str) -> Path:
        home = self.place.installed / "tools"
        if not (home / _DONE).exists():
            _new_venv(home)
            _run(home / "bin" / "python", "-m", "pip", "install", "--quiet", *TOOLS)
            (home / _DONE).touch()
        return home / "bin" / name

    def _from_debian(self, name: str, inside: str, packages: Sequence[str]) -> Program:
        """Return the system's program, else one unpacked from Debian packages.

        Unpacked, not installed: installing nginx would start it.
        """
        if found := shutil.which(name):
            return Program(Path(found), {})
        home = self.place.installed / "debian"
        root = home / name
        if not (root / inside).exists():
            say(f"fetching {name}")
            root.mkdir(parents=True, exist_ok=True)
            _run(_on_path("apt-get"), "download", "-qq", *packages, cwd=root)
            for package in sorted(root.glob("*.deb")):
                _run("dpkg-deb", "-x", package, root)
                package.unlink()
        libraries = [str(path) for path in (root / "usr" / "lib").glob("*-linux-*")]
        return Program(root / inside, {"LD_LIBRARY_PATH": os.pathsep.join(libraries)})


def say(line: str) -> None:
    """Show progress, apart from the report."""
    print(f"  {line}", file=sys.stderr, flush=True)  # noqa: T201 - a command line talks


def _new_venv(home: Path) -> None:
    say(f"installing {home.name}")
    venv.create(home, with_pip=True, clear=True)


def _on_path(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise MissingError(f"{name} is not installed")
    return Path(found)


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    try:
        subprocess.run(  # noqa: S603 - programs that this module chose
            [str(part) for part in command],
            cwd=cwd,
            check=True,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise MissingError(" ".join([f"{Path(command[0]).name} failed:", *last])) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingError(f"{Path(command[0]).name}: {error}") from error
