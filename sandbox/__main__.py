"""Start the sandbox: ``python -m sandbox --help``."""

# Patch before every other import: sockets and threads made earlier would block all greenlets.
from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

from sandbox.server import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
