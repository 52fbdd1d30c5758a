"""Exchange rates from a file of the operator's."""

from adapters.rate_file.rates import RateFile

__all__ = ["RateFile"]
