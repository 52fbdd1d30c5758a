"""The tools of a request: which are served, on every wire.

A tool that the client runs costs its description and its results, which are text. A tool that the
provider runs (a search, a sandbox) costs by use, and brings text that stands nowhere in the
request: it is refused by its place and name. One that the client runs and only the provider
describes is held for (``anthropic/own_tools.py``, ``openai/own_tools.py``).
"""

from __future__ import annotations

from collections.abc import Collection

from adapters.wires.fields import invalid, shown
from creditcore.domain.errors import InvalidRequestError

FUNCTION_TOOLS = frozenset({"function", "custom"})
"""OpenAI's names of tools that the client runs."""

_NAMESPACE = "namespace"


def check_tools(
    value: object,
    own: Collection[str],
    *,
    beside: Collection[str] = (),
    default: str | None = None,
) -> None:
    """Let tools pass that the client runs.

    Args:
        value: What stands under ``tools``; None where nothing does.
        own: The types under which the client runs a tool of any kind: a refusal names them.
        beside: Types of tools of one kind, which pass too.
        default: The type of a tool that names none, or null.

    Raises:
        InvalidRequestError: One of them is something else; ``param`` names its place.
    """
    if value is None:
        return
    if not isinstance(value, list):
        raise invalid("tools", "must be a list of tools")
    for at, tool in enumerate(value):
        _check(tool, f"tools[{at}]", own, beside=beside, default=default)


def check_grouped_tools(value: object, place: str, *, beside: Collection[str]) -> None:
    """Let tools pass that the client runs, also grouped under a name (Codex does).

    Args:
        value: What stands there; None where nothing does.
        place: Where they stand.
        beside: Types of tools of one kind, which pass too, though in no group.

    Raises:
        InvalidRequestError: One of them is something else; ``param`` names its place.
    """
    if value is None:
        return
    if not isinstance(value, list):
        raise invalid(place, "must be a list of tools")
    for at, tool in enumerate(value):
        here = f"{place}[{at}]"
        if not isinstance(tool, dict) or tool.get("type") != _NAMESPACE:
            _check(tool, here, FUNCTION_TOOLS, beside=beside)
            continue
        inner = tool.get("tools")
        if not isinstance(inner, list):
            raise invalid(f"{here}.tools", "must be a list of tools")
        for within, grouped in enumerate(inner):
            _check(grouped, f"{here}.tools[{within}]", FUNCTION_TOOLS)


def _check(
    tool: object,
    place: str,
    own: Collection[str],
    *,
    beside: Collection[str] = (),
    default: str | None = None,
) -> None:
    if not isinstance(tool, dict):
        raise invalid(place, "must be an object")
    kind = tool.get("type")
    if kind is None:
        kind = default
    if not isinstance(kind, str):
        raise invalid(f"{place}.type", "must be a string")
    if kind in own or kind in beside:
        return
    raise InvalidRequestError(
        f"{place}.type {shown(kind)!r} is not served here: the provider's own tools cost by use, "
        f"or bring text of their own. Leave it out, or run it yourself as a tool of type "
        f"{' or '.join(sorted(own))}.",
        param=f"{place}.type",
        code="unsupported_parameter",
    )
