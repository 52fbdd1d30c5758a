"""Tools of responses that the client runs: those it describes, and those that OpenAI describes."""

from __future__ import annotations

from typing import Any

from adapters.wires.fields import shown
from adapters.wires.prompt import Prompt
from adapters.wires.tools import check_grouped_tools
from creditcore.domain.errors import InvalidRequestError

_SHELL, _SEARCH = "shell", "tool_search"
_DESCRIBED_THERE = frozenset({"apply_patch", "computer", "local_shell", _SHELL, _SEARCH})

_MOST_TOKENS = 4_096
"""More than is added for any: OpenAI names no figure, Anthropic's of the same kind have 1,235."""

_USUAL_TOKENS = 500

CALLS = frozenset(
    {
        "apply_patch_call",
        "computer_call",
        "local_shell_call",
        "shell_call",
        "tool_search_call",
    }
)
"""How a model calls them: as items of a kind of their own."""

RESULTS = frozenset({"apply_patch_call_output", "local_shell_call_output", "shell_call_output"})
"""What the client answers in text. A computer answers with an image, a search with tools."""


def read_own_tools(value: object, prompt: Prompt, *, place: str = "tools") -> None:
    """Let tools pass that the client runs, and count the descriptions that are not here.

    A shell that says nothing of where it runs is made to run at the client.

    Raises:
        InvalidRequestError: One of them is something else; ``param`` names its place.
    """
    check_grouped_tools(value, place, beside=_DESCRIBED_THERE)
    for at, tool in enumerate(value if isinstance(value, list) else ()):
        kind = tool["type"]
        if kind not in _DESCRIBED_THERE:
            continue
        if kind == _SHELL:
            _keep_local(tool, f"{place}[{at}].environment")
        elif kind == _SEARCH and tool.get("execution") != "client":
            # One that OpenAI runs asks the model again by itself, with the whole prompt.
            raise _unserved(f"{place}[{at}].execution", tool.get("execution"), "client")
        prompt.add_unseen(most=_MOST_TOKENS, usual=_USUAL_TOKENS)


def _keep_local(tool: dict[str, Any], place: str) -> None:
    if (environment := tool.get("environment")) is None:
        tool["environment"] = {"type": "local"}
        return
    kind = environment.get("type") if isinstance(environment, dict) else None
    if kind != "local":
        # A container there costs by the minute.
        raise _unserved(f"{place}.type", kind, "local")


def _unserved(place: str, value: object, instead: str) -> InvalidRequestError:
    wrong = f"{shown(str(value))!r} is not served" if value else f"must be {instead!r}"
    return InvalidRequestError(
        f"{place} {wrong} here: run it yourself, with {instead!r}.",
        param=place,
        code="unsupported_parameter",
    )
