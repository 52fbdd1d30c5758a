"""nginx, as the stand-in that answers plain calls and as a bare proxy."""

from __future__ import annotations

from subprocess import Popen
from urllib.parse import urlsplit

from bench.children import Children
from bench.installs import Program
from bench.place import HOST, Place, free_port

_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  default_type application/json;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  {http}
  server {{
    listen {host}:{port} backlog=4096;
    {server}
  }}
}}
"""
_PROXY = """
    location / {
      proxy_pass http://upstream;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
"""


def start_answering(
    children: Children, program: Program, place: Place, answers: dict[str, str]
) -> tuple[str, Popen[bytes]]:
    """Start a server of constant documents, by path; return its URL and process."""
    server = "\n".join(
        f"    location = {path} {{ return 200 '{document}'; }}"
        for path, document in answers.items()
    )
    return _start(children, program, place, "standin-nginx", server=server)


def start_proxying(
    children: Children, program: Program, place: Place, name: str, *, upstream_url: str
) -> tuple[str, Popen[bytes]]:
    """Start a proxy that does nothing but pass on; return its URL and process."""
    upstream = urlsplit(upstream_url).netloc
    http = f"upstream upstream {{ server {upstream}; keepalive 1024; }}"
    return _start(children, program, place, name, http=http, server=_PROXY)


def _start(
    children: Children, program: Program, place: Place, name: str, *, server: str, http: str = ""
) -> tuple[str, Popen[bytes]]:
    port = free_port()
    home = place.run / name
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(home=home, host=HOST, port=port, http=http, server=server)
    )
    child = children.start(
        name, [program.path, "-p", home, "-c", configuration], environ=program.environ
    )
    return f"http://{HOST}:{port}", child
