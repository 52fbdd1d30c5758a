"""Who calls the Paystack stand-in, and who takes its webhooks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import requests

from sandbox.process import SandboxProcess
from tests.stack import PATIENCE_S, wait_until

SECRET = "sk_test_sandbox"


class Client:
    """The calls that the tests make."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.http = requests.Session()
        self.http.headers["authorization"] = f"Bearer {SECRET}"
        self.base, self.control_base = sandbox.paystack_url, f"{sandbox.base_url}/control"

    def initialize(self, **changes: Any) -> requests.Response:
        fields = {
            "email": "ada@example.com",
            "amount": 1000,
            "currency": "USD",
            "reference": "ref-1",
        } | changes
        fields = {name: value for name, value in fields.items() if value is not ...}
        return self.http.post(
            f"{self.base}/transaction/initialize", json=fields, timeout=PATIENCE_S
        )

    def checkout(self, **changes: Any) -> str:
        answer = self.initialize(**changes)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["authorization_url"])

    def verify(self, reference: str = "ref-1") -> requests.Response:
        return self.http.get(f"{self.base}/transaction/verify/{reference}", timeout=PATIENCE_S)

    def verified(self, reference: str = "ref-1") -> dict[str, Any]:
        data: dict[str, Any] = self.verify(reference).json()["data"]
        return data

    def list(self, **query: Any) -> dict[str, Any]:
        answer = self.http.get(f"{self.base}/transaction", params=query, timeout=PATIENCE_S)
        page: dict[str, Any] = answer.json()
        return page

    def control(self, path: str, **order: Any) -> requests.Response:
        return self.http.post(f"{self.control_base}{path}", json=order, timeout=PATIENCE_S)

    def recorded(self, path: str, **query: Any) -> Any:
        return self.http.get(
            f"{self.control_base}/paystack{path}", params=query, timeout=PATIENCE_S
        ).json()

    def press(self, page: str, button: str) -> requests.Response:
        return requests.post(
            page, data={"action": button}, allow_redirects=False, timeout=PATIENCE_S
        )

    def deliveries(self, condition: Callable[[list[Any]], bool]) -> list[Any]:
        """Return the deliveries once they are as they should be."""
        wait_until(lambda: condition(self.recorded("/deliveries")))
        rows: list[Any] = self.recorded("/deliveries")
        return rows

    def all_deliveries_of(self, reference: str) -> list[Any]:
        """Return the deliveries about a payment, when all that there was to send is on its way.

        Events leave in the order of their payments, so another payment is made and awaited.
        """
        self.checkout(reference="another")
        self.control("/paystack/pay", reference="another")
        rows = self.deliveries(
            lambda rows: (
                all(row["status"] for row in rows)
                and "another" in {row["reference"] for row in rows}
            )
        )
        return [row for row in rows if row["reference"] == reference]


class Merchant:
    """A webhook receiver: answers the listed statuses, then 200, and keeps what arrived."""

    def __init__(self) -> None:
        self.received: Queue[tuple[bytes, str]] = Queue()
        self.statuses: list[int] = []
        merchant = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                merchant.received.put((body, self.headers["x-paystack-signature"]))
                self.send_response(merchant.statuses.pop(0) if merchant.statuses else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def next_event(self) -> tuple[bytes, str]:
        return self.received.get(timeout=PATIENCE_S)
