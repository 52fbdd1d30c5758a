"""Exceptions of the drivers, of Pony and of the pool, in the core's words."""

from __future__ import annotations

from pony.orm.core import CacheIndexError, CommitException, IsolationError

from creditcore.domain.errors import (
    CreditcoreError,
    ReferenceConflictError,
    RefusedByStoreError,
    StoreBusyError,
    StoreError,
    StoreUnavailableError,
)

from .engine import Engine, Fault
from .pool import PoolExhaustedError


def translation(
    error: BaseException, engine: Engine, *, taken: CreditcoreError | None = None
) -> CreditcoreError:
    """Return what an exception means.

    Args:
        error: What was raised; the driver's own exception may be inside it.
        engine: Whose driver it comes from.
        taken: What a unique name that is in use means, if not a ``ReferenceConflictError``.
    """
    cause = _cause(error)
    match _fault(error, cause, engine):
        case Fault.TAKEN:
            return taken or ReferenceConflictError(str(cause))
        case Fault.BUSY:
            return StoreBusyError("The database was busy; nothing was changed.")
        case Fault.UNAVAILABLE:
            return StoreUnavailableError("The database does not answer.")
        case Fault.REFUSED:
            return RefusedByStoreError(f"The database refuses this: {cause}")
        case Fault.FAILED:
            return StoreError(f"The database failed: {cause}")


def _cause(error: BaseException) -> BaseException:
    """Return the driver's exception inside Pony's or SQLAlchemy's, where there is one."""
    if exceptions := getattr(error, "exceptions", None):
        return _cause(exceptions[0][1])
    inner = getattr(error, "original_exc", None) or getattr(error, "orig", None)
    return error if inner is None else _cause(inner)


def _fault(error: BaseException, cause: BaseException, engine: Engine) -> Fault:
    fault = Fault.FAILED
    if isinstance(cause, engine.driver_error):
        fault = engine.fault(cause)
    elif isinstance(cause, CacheIndexError):
        fault = Fault.TAKEN
    elif isinstance(cause, IsolationError):
        fault = Fault.BUSY
    elif isinstance(cause, PoolExhaustedError):
        fault = Fault.UNAVAILABLE
    elif isinstance(cause, ValueError | OverflowError):
        # The drivers raise these before the database sees the data.
        fault = Fault.REFUSED
    if isinstance(error, CommitException) and fault is not Fault.BUSY:
        # The commit was on its way: whether it arrived is unknown.
        return Fault.UNAVAILABLE
    return fault
