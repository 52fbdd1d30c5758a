"""The price list: fetched from the model server, stored, and read on every call."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from creditcore.domain.errors import ModelNotFoundError, StoreError, UpstreamUnavailableError
from creditcore.domain.pricing import ModelPrice
from creditcore.ports.clock import SteadyClock
from creditcore.ports.model_gateway import Catalogue, ModelGateway
from creditcore.ports.transactions import Begins
from creditcore.usecases.calls.keep_catalogue import KeepCatalogue, KeepCatalogueTransaction

FRESH_FOR_S = 15.0
"""How long a process goes by its copy before it looks at the stored list again."""

ASK_AGAIN_AFTER_S = 1.0
"""How often unknown model names may make a process look early."""

_log = logging.getLogger(__name__)


class PriceList:
    """What each model costs, from memory; the store behind it is shared by all processes.

    Attributes:
        catalogue: What the list is made from.
    """

    def __init__(
        self,
        *,
        transactions: Begins[KeepCatalogueTransaction],
        gateway: ModelGateway,
        clock: SteadyClock,
    ) -> None:
        self._transactions = transactions
        self._gateway = gateway
        self._clock = clock
        self.catalogue = KeepCatalogue(transactions=transactions, clock=clock, changed=self._forget)
        self._prices: dict[str, ModelPrice] = {}
        self._read_at: float | None = None
        self._reading = threading.Lock()

    def find(self, model: str) -> ModelPrice:
        """Return the price of a model.

        Raises:
            ModelNotFoundError: It is unknown or has no price, so it is not served.
        """
        self._keep_fresh(FRESH_FOR_S)
        price = self._prices.get(model)
        if price is None:
            self._keep_fresh(ASK_AGAIN_AFTER_S)
            price = self._prices.get(model)
        if price is None:
            raise ModelNotFoundError(model)
        return price

    def all(self) -> Sequence[ModelPrice]:
        """Return every price, by model name."""
        self._keep_fresh(FRESH_FOR_S)
        return list(self._prices.values())

    def refresh_if_empty(self) -> int:
        """Fetch the first list, where no process has yet; return how many models it has, or 0.

        So a gateway serves calls though no worker runs beside it.

        Raises:
            UpstreamUnavailableError: No usable list.
        """
        return 0 if self.all() else self.refresh()

    def refresh(self) -> int:
        """Fetch the list from the model server and store it; return how many models it has.

        Raises:
            UpstreamUnavailableError: No usable list; the stored one stays in force.
        """
        catalogue = self._fetched()
        if not catalogue.prices:
            raise UpstreamUnavailableError("The model server lists no model with a price.")
        return self.catalogue.take(catalogue)

    def _forget(self) -> None:
        """Look at the stored list before the next answer; other processes do so within seconds."""
        self._read_at = None

    def _fetched(self) -> Catalogue:
        try:
            return self._gateway.fetch_catalogue()
        except UpstreamUnavailableError:
            # Rules that end by themselves end also while the model server is away.
            self.catalogue.apply()
            raise

    def _keep_fresh(self, for_s: float) -> None:
        if self._is_fresh(for_s):
            return
        # One reads for all; the others go on with what they have, if they have any.
        if not self._reading.acquire(blocking=self._read_at is None):
            return
        try:
            if not self._is_fresh(for_s):
                self._read()
        finally:
            self._reading.release()

    def _is_fresh(self, for_s: float) -> bool:
        return self._read_at is not None and self._clock.monotonic() - self._read_at < for_s

    def _read(self) -> None:
        now = self._clock.monotonic()
        try:
            with self._transactions.begin() as tx:
                self._prices = {price.model: price for price in tx.prices.all()}
        except StoreError:
            if not self._prices:
                raise
            # Calls hold credits in a transaction of their own: that one tells if nothing works.
            _log.warning("the price list cannot be read; the copy stays in force", exc_info=True)
        self._read_at = now
