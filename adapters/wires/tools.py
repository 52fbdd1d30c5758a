"""The tools of a request: which are served, on every wire.

A tool that the client runs costs its description and its results, which are text. A tool that the
provider runs (a search, a sandbox) costs by use, and brings text that stands nowhere in the
request: it is refused by its place and name. So is one that only the provider describes, unless
it says how much text that is (``anthropic/own_tools.py``).
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


def check_grouped_tools(value: object) -> None:
    """Let tools pass that the client runs, also grouped under a name (Codex does).

    Raises:
        InvalidRequestError: One of them is something else; ``param`` names its place.
    """
    if not isinstance(value, list):
        check_tools(value, FUNCTION_TOOLS)
        return
    for at, tool in enumerate(value):
        place = f"tools[{at}]"
        if not isinstance(tool, dict) or tool.get("type") != _NAMESPACE:
            _check(tool, place, FUNCTION_TOOLS)
            continue
        inner = tool.get("tools")
        if not isinstance(inner, list):
            raise invalid(f"{place}.tools", "must be a list of tools")
        for within, grouped in enumerate(inner):
            _check(grouped, f"{place}.tools[{within}]", FUNCTION_TOOLS)


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
