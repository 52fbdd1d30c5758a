"""The gateway's own configuration, with a watchdog in every worker."""

import os
import runpy
from pathlib import Path
from typing import Any

_product: dict[str, Any] = runpy.run_path(
    str(Path(__file__).resolve().parent.parent / "gunicorn.conf.py")
)
globals().update({name: value for name, value in _product.items() if not name.startswith("__")})


def post_worker_init(worker: Any) -> None:
    """Start what the product starts, and the watchdog."""
    import gevent

    from bench.watchdog import STALLS_VARIABLE, watch

    _product["post_worker_init"](worker)
    gevent.spawn(watch, Path(os.environ[STALLS_VARIABLE]) / f"{os.getpid()}.stalls")
