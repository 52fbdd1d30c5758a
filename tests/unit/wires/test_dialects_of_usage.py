"""One answer's counts, told in the words of many servers: whatever the words, the counts are one.

What was used is made up first, and then written down as each server writes it: no reader of
reports takes part in what is expected.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.responses import Responses
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Meter, Wire

Report = dict[str, Any]
ANSWERS = 200


class Used(NamedTuple):
    """What an answer used, every token in one place."""

    plain: int
    cached: int = 0
    brief: int = 0
    long: int = 0
    text: int = 0
    thought: int = 0

    @property
    def written(self) -> int:
        return self.brief + self.long

    @property
    def prompt(self) -> int:
        return self.plain + self.cached + self.written

    @property
    def completion(self) -> int:
        return self.text + self.thought

    @property
    def total(self) -> int:
        return self.prompt + self.completion

    @property
    def usage(self) -> Usage:
        return Usage(
            prompt_tokens=self.prompt,
            completion_tokens=self.completion,
            cached_tokens=self.cached,
            cache_write_tokens=self.written,
            cache_write_1h_tokens=self.long,
            reasoning_tokens=self.thought,
        )


def details(used: Used, written: Report) -> Report:
    thought = {"completion_tokens_details": {"reasoning_tokens": used.thought}}
    return {"prompt_tokens_details": {"cached_tokens": used.cached, **written}, **thought}


def in_all(used: Used) -> Report:
    tokens = {"prompt_tokens": used.prompt, "completion_tokens": used.completion}
    return {**tokens, "total_tokens": used.total}


def litellm(used: Used) -> Report:
    ages = {"ephemeral_5m_input_tokens": used.brief, "ephemeral_1h_input_tokens": used.long}
    written = {"cache_creation_tokens": used.written, "cache_creation_token_details": ages}
    beside = {
        "cache_creation_input_tokens": used.written,
        "cache_read_input_tokens": used.cached,
    }
    return {**in_all(used), **details(used, written), **beside}


def litellm_of_openai(used: Used) -> Report:
    """1.110.2, ``types/utils.py``: OpenAI's two ages among Anthropic's."""
    ages = {"ephemeral_30m_input_tokens": used.brief, "ephemeral_12h_input_tokens": used.long}
    written = {"cache_write_tokens": used.written, "cache_creation_token_details": ages}
    return {**in_all(used), **details(used, written)}


def new_api(used: Used) -> Report:
    by_age = {
        "claude_cache_creation_5_m_tokens": used.brief,
        "claude_cache_creation_1_h_tokens": used.long,
    }
    return {**in_all(used), **details(used, {"cached_creation_tokens": used.written}), **by_age}


def alibaba(used: Used) -> Report:
    used = used._replace(brief=used.written, long=0)
    ages = {"ephemeral_5m_input_tokens": used.brief}
    written = {"cache_creation_input_tokens": used.written, "cache_creation": ages}
    return {**in_all(used), **details(used, {**written, "cache_type": "ephemeral"})}


def xai(used: Used) -> Report:
    used = used._replace(plain=used.plain + used.written, brief=0, long=0)
    return {**in_all(used), **details(used, {}), "completion_tokens": used.text}


def deepseek(used: Used) -> Report:
    missed = used.plain + used.written
    cache = {"prompt_cache_hit_tokens": used.cached, "prompt_cache_miss_tokens": missed}
    thought = {"completion_tokens_details": {"reasoning_tokens": used.thought}}
    return {**in_all(used), **cache, **thought}


def gemini(used: Used) -> Report:
    return {
        "promptTokenCount": used.plain + used.written + used.cached - 1,
        "toolUsePromptTokenCount": 1,
        "cachedContentTokenCount": used.cached,
        "candidatesTokenCount": used.text,
        "thoughtsTokenCount": used.thought,
        "totalTokenCount": used.total,
    }


def gemini_in_python(used: Used) -> Report:
    return {
        "prompt_token_count": used.prompt,
        "cached_content_token_count": used.cached,
        "candidates_token_count": used.text,
        "thoughts_token_count": used.thought,
    }


def javascript(used: Used) -> Report:
    read = {"cacheReadTokens": used.cached, "cacheWriteTokens": used.written}
    return {
        "inputTokens": used.prompt,
        "inputTokenDetails": read,
        "outputTokens": used.completion,
        "outputTokenDetails": {"reasoningTokens": used.thought},
    }


def llama_cpp(used: Used) -> Report:
    missed = used.plain + used.written
    return {"cache_n": used.cached, "prompt_n": missed, "predicted_n": used.completion}


def openai_responses(used: Used) -> Report:
    ages = {"ttl_30m_tokens": used.brief, "ttl_12h_tokens": used.long}
    written = {"cache_write_tokens": used.written, "cache_write_tokens_details": ages}
    return {
        "input_tokens": used.prompt,
        "input_tokens_details": {"cached_tokens": used.cached, **written},
        "output_tokens": used.completion,
        "output_tokens_details": {"reasoning_tokens": used.thought},
        "total_tokens": used.total,
    }


def anthropic(used: Used) -> Report:
    ages = {"ephemeral_5m_input_tokens": used.brief, "ephemeral_1h_input_tokens": used.long}
    return {
        "input_tokens": used.plain,
        "cache_read_input_tokens": used.cached,
        "cache_creation_input_tokens": used.written,
        "cache_creation": ages,
        "output_tokens": used.completion,
        "output_tokens_details": {"thinking_tokens": used.thought},
    }


def writes_are_plain(used: Used) -> Used:
    return used._replace(plain=used.plain + used.written, brief=0, long=0)


def writes_are_brief(used: Used) -> Used:
    return used._replace(brief=used.written, long=0)


def no_thought(used: Used) -> Used:
    return writes_are_plain(used)._replace(text=used.completion, thought=0)


def as_told(used: Used) -> Used:
    return used


CHAT, MESSAGES, RESPONSES = ChatCompletions(), Messages(), Responses()
COMPLETIONS = Completions()
Dialect = tuple[Wire, Callable[[Used], Report], Callable[[Used], Used]]
DIALECTS: list[Dialect] = [
    *((wire, litellm, as_told) for wire in (CHAT, COMPLETIONS, MESSAGES)),
    *((wire, litellm_of_openai, as_told) for wire in (CHAT, MESSAGES)),
    (CHAT, new_api, as_told),
    (CHAT, alibaba, writes_are_brief),
    (CHAT, xai, writes_are_plain),
    (CHAT, deepseek, writes_are_plain),
    (CHAT, gemini, writes_are_plain),
    (CHAT, gemini_in_python, writes_are_plain),
    (CHAT, javascript, writes_are_brief),
    (CHAT, llama_cpp, no_thought),
    (RESPONSES, openai_responses, as_told),
    (MESSAGES, anthropic, as_told),
]


def some(dice: random.Random) -> Used:
    def count() -> int:
        return dice.choice([0, 0, dice.randint(1, 9), dice.randint(1, 90_000)])

    return Used(2 + dice.randint(0, 9_000), count(), count(), count(), 1 + count(), count())


def a_meter(wire: Wire, *, stream: bool) -> Meter:
    asked = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}
    if wire is COMPLETIONS:
        asked = {"prompt": "hi"}
    elif wire is RESPONSES:
        asked = {"input": "hi"}
    request = wire.parse(orjson.dumps({"model": "m", "stream": stream, **asked}))
    return wire.meter(request, receipt=lambda _: {}, explain=failure_within)


def event(document: Report) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def told(wire: Wire, report: Report) -> bytes:
    """Return an event that tells usage while an answer goes on."""
    if wire is MESSAGES:
        return event({"type": "message_delta", "delta": {}, "usage": report})
    if wire is RESPONSES:
        return event({"type": "response.in_progress", "response": {"id": "r", "usage": report}})
    return event({"id": "c", "choices": [], "usage": report})


def ended(wire: Wire, report: Report) -> bytes:
    if wire is MESSAGES:
        end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": report}
        return event(end) + event({"type": "message_stop"})
    if wire is RESPONSES:
        response = {"id": "r", "output": [], "usage": report}
        return event({"type": "response.completed", "response": response})
    return told(wire, report) + b"data: [DONE]\n\n"


def zeros(report: Report) -> Report:
    return {
        name: zeros(value) if isinstance(value, dict) else 0
        for name, value in report.items()
        if not isinstance(value, str)
    }


def nulls(report: Report) -> Report:
    return dict.fromkeys(report)


@pytest.mark.parametrize(
    ("wire", "write", "known"),
    DIALECTS,
    ids=[f"{write.__name__}-{type(wire).__name__}" for wire, write, _ in DIALECTS],
)
def test_an_answer_counts_the_same_in_every_dialect(
    wire: Wire, write: Callable[[Used], Report], known: Callable[[Used], Used]
) -> None:
    for seed in range(ANSWERS):
        dice = random.Random(seed)  # noqa: S311 - the same answers each time
        used = some(dice)
        report = write(used)
        plain, streamed, again = (a_meter(wire, stream=each) for each in (False, True, True))

        plain.feed(orjson.dumps({"choices": [], "content": [], "output": [], "usage": report}))
        plain.finish()
        streamed.feed(told(wire, nulls(report)) + ended(wire, report))
        # Told before in parts, or again with nothing in it, it is the same.
        again.feed(told(wire, zeros(report)) + told(wire, report) + ended(wire, report))
        again.feed(told(wire, zeros(report)))

        expected = known(used).usage
        assert plain.usage == expected, (seed, report)
        assert streamed.usage == expected, (seed, report)
        assert again.usage == expected, (seed, report)
