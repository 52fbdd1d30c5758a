"""A host of its own: a gateway in a network namespace, which shares files and nothing else.

Started by ``unshare --net``. PostgreSQL and Redis are reached by their sockets in the file
system; no packet leaves. Each line on stdin asks for calls at once, and is answered by one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.stack import running_stack

CALLERS = 25


def main() -> None:
    database_url, redis_url, data_dir = sys.argv[1:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with running_stack(database_url, Path(data_dir), workers=2, REDIS_URL=redis_url) as stack:
        sys.stdout.write("READY\n")
        sys.stdout.flush()
        for line in sys.stdin:
            asked = json.loads(line)

            def call(_: int, asked: dict[str, str] = asked) -> int:
                return stack.chat(asked["text"], key=asked["key"], max_tokens=5).status_code

            began = time.monotonic()
            with ThreadPoolExecutor(CALLERS) as callers:
                statuses = Counter(callers.map(call, range(asked["calls"])))
            told = {"statuses": statuses, "elapsed_s": time.monotonic() - began}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
