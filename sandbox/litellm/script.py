"""Scripts: how one answer behaves, written into the prompt.

The last user message, prompt or input may contain ``[[sim name=value name=value ...]]``; quote
values with spaces.

=============  =====================================================================================
tokens=N       answer "token 0 token 1 ..." of N tokens
text="..."     answer this text, one token per word
tool=NAME      call this tool if the request has it, and no other
argument="..." of its arguments give this one, NAME=VALUE, and those that it requires
prompt=N       report N prompt tokens
cached=N       report N of them as read from the cache
cache_write=N  report N of them as written to the cache
reasoning=N    spend N more output tokens on reasoning
ignore_max=1   do not stop at max_tokens, as a faulty provider might
usage=KIND     report usage that is ``missing``, ``zero``, ``negative``, ``absurd`` or a ``string``
cost=X         report this cost in USD, true or not: in a header, or a stream's ``usage.cost``
usage_early=1  usage in the last chunk with text, not in one of its own
openai=1       stream as OpenAI does: chat with ``usage: null`` everywhere, ``choices: []`` at the
               usage; responses with names, without ``[DONE]``
first_ms=N     wait before the first byte
delay_ms=N     wait between tokens
hang=1         never answer; wait until the caller leaves
hang_after=N   fall silent after N tokens, until the caller leaves
cut_after=N    close the connection after N tokens; of a plain answer, after half the body
error_after=N  an error event after N tokens, and no ``[DONE]``
done=0         no ``[DONE]``; of a message, no ``message_stop``
drip_bytes=N   write N bytes at a time
crlf=1         end lines with CRLF
comment=1      a comment line before every token
status=NNN     an error answer in LiteLLM's shape
retry_after=N  the seconds that an error says to wait; 429 says 7 without this
error=budget   word that error as an exceeded budget
sse=1          send that error as an event stream, with its status
=============  =====================================================================================
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, fields
from typing import Any, Self

DIRECTIVE = re.compile(r"\[\[sim\b([^\]]*)\]\]")

# Longer answers than this would only measure this process.
MAX_TOKENS = 200_000

USAGE_KINDS = frozenset({"", "missing", "zero", "negative", "absurd", "string"})


class ScriptError(ValueError):
    """The directive says something that this page does not list."""


@dataclass(frozen=True, slots=True)
class Script:
    """One answer's orders; -1 and the empty text mean no order."""

    tokens: int = -1
    text: str = ""
    tool: str = ""
    argument: str = ""
    prompt: int = -1
    cached: int = 0
    cache_write: int = 0
    reasoning: int = -1
    ignore_max: int = 0
    usage: str = ""
    cost: float = -1.0
    usage_early: int = 0
    openai: int = 0
    first_ms: int = 0
    delay_ms: int = 0
    hang: int = 0
    hang_after: int = -1
    cut_after: int = -1
    error_after: int = -1
    done: int = 1
    drip_bytes: int = 0
    crlf: int = 0
    comment: int = 0
    status: int = 0
    retry_after: int = -1
    error: str = ""
    sse: int = 0

    @classmethod
    def from_prompt(cls, prompt: str) -> Self:
        """Read the directives of a prompt; without one the answer is friendly and complete.

        Raises:
            ScriptError: A typing error would otherwise pass as good behaviour.
        """
        orders: dict[str, Any] = {}
        for directive in DIRECTIVE.findall(prompt):
            for word in _words(directive):
                name, equals, value = word.partition("=")
                if not equals or name not in KINDS:
                    raise ScriptError(f"Unknown order in [[sim ...]]: {word}")
                try:
                    orders[name] = KINDS[name](value)
                except ValueError as error:
                    raise ScriptError(f"Bad value in [[sim ...]]: {word}") from error
        script = cls(**orders)
        if (
            script.usage not in USAGE_KINDS
            or script.tokens > MAX_TOKENS
            or script.error not in {"", "budget"}
        ):
            raise ScriptError(
                "Bad value in [[sim ...]]: see the table in sandbox/litellm/script.py"
            )
        if script.status and script.status not in range(400, 600):
            raise ScriptError("status must be an error status")
        return script


def _words(directive: str) -> list[str]:
    try:
        return shlex.split(directive)
    except ValueError as error:
        raise ScriptError(f"Unbalanced quotes in [[sim{directive}]]") from error


# A default's type is its order's type.
KINDS: dict[str, type] = {order.name: type(order.default) for order in fields(Script)}
