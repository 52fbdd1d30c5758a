"""The product behind each proxy of ``docs/proxies.md``, set up by the lines that stand there."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.stack import REPOSITORY, Stack, reserved_port, running_stack, wait_until

PAGE = (REPOSITORY / "docs" / "proxies.md").read_text()
GATEWAY = "127.0.0.1:8000"
Command = Callable[[Path, str, int, str], list[str]]


def documented(language: str, having: str = GATEWAY) -> str:
    """Return the lines of the page in a language, those that have a text."""
    [lines] = (
        found
        for found in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
        if having in found
    )
    return str(lines)


def nginx(folder: Path, lines: str, port: int, gateway: str) -> list[str]:
    site = lines.replace(GATEWAY, gateway).replace(
        "# listen, ssl_certificate and the like", f"listen 127.0.0.1:{port} backlog=4096;"
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"user root;\nworker_rlimit_nofile 8192; events {{ worker_connections 4096; }}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/bodies;\n"
        f"proxy_temp_path {folder}/proxied; fastcgi_temp_path {folder}/f;\n"
        f"uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n{site} }}\n"
    )
    return ["nginx", "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]


def haproxy(folder: Path, lines: str, port: int, gateway: str) -> list[str]:
    site = lines.replace(GATEWAY, gateway).replace(
        "# bind :443 ssl crt ...", f"bind 127.0.0.1:{port} backlog 4096"
    )
    (folder / "haproxy.cfg").write_text(f"global\n    maxconn 4000\n{site}")
    return ["haproxy", "-db", "-f", f"{folder}/haproxy.cfg"]


def caddy(folder: Path, lines: str, port: int, gateway: str) -> list[str]:
    # By any name: tests call it by several.
    site = lines.replace(GATEWAY, gateway).replace(
        "gateway.example.com {", f"http://:{port} {{\n    bind 127.0.0.1"
    )
    assert site.startswith("{\n")
    (folder / "Caddyfile").write_text(
        f"{{\n    admin off\n    storage file_system {folder}/caddy\n{site[2:]}"
    )
    return ["caddy", "run", "--adapter", "caddyfile", "--config", f"{folder}/Caddyfile"]


PROXIES: dict[str, tuple[str, Command]] = {
    "nginx": ("nginx", nginx),
    "haproxy": ("haproxy", haproxy),
    "caddy": ("caddyfile", caddy),
}


@dataclass(frozen=True)
class Proxied:
    """A gateway and what stands in front of it.

    Attributes:
        stack: The gateway, whose own address is its ``base_url``.
        url: The address of the proxy.
        log: What the gateway says.
    """

    name: str
    stack: Stack
    url: str
    log: Path


def is_listening(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname or "", address.port or 0)) == 0


@contextmanager
def in_front(
    name: str, folder: Path, port: int, gateway: str, *, lines: str = ""
) -> Iterator[None]:
    """Run a proxy with the lines of the page, or with others."""
    language, command = PROXIES[name]
    found = shutil.which(name)
    assert found, f"{name} is not installed: apt-get install nginx haproxy caddy"
    with subprocess.Popen(
        command(folder, lines or documented(language), port, gateway), stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(
                lambda: process.poll() is not None or is_listening(f"http://127.0.0.1:{port}")
            )
            assert process.poll() is None, f"{name} did not start"
            yield
        finally:
            process.terminate()


@pytest.fixture(scope="module", params=sorted(PROXIES))
def proxied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxied]:
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    log = folder / "log"
    with reserved_port() as port:
        url = f"http://127.0.0.1:{port}"
        with running_stack("", folder, log=log, BASE_URL=url, TRUSTED_PROXY_COUNT="1") as stack:
            # It does not tell the proxy's clients apart by itself; the site says where it is.
            gateway = f"127.0.0.1:{stack.environ['PORT']}"
            with in_front(name, folder, port, gateway):
                yield Proxied(name, stack, url, log)
