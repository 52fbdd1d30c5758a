"""How long the fault tests try: a short while in `make test`, many times that in `make faults`."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("FAULTS_TIMES", "1"))
"""By what the number of tries is multiplied."""

SEED = int(os.environ.get("FAULTS_SEED", "1"))
"""What dice of tests begin with."""
