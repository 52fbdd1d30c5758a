"""What tests of the relay and the gateway show in threads holds in greenlets too."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FILES = [HERE / f"test_litellm_{name}.py" for name in ("relay", "streams", "failures", "gateway")]


def test_everything_holds_in_greenlets_too() -> None:
    again = (
        "import sys; from gevent import monkey; monkey.patch_all(); import pytest;"
        "sys.exit(pytest.main(['-q', *sys.argv[1:]]))"
    )

    done = subprocess.run(
        [sys.executable, "-c", again, *FILES], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
