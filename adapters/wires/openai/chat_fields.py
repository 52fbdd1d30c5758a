"""The fields of a chat request beside its messages."""

from __future__ import annotations

from adapters.wires.fields import (
    BOOLEAN,
    INTEGER,
    LIST,
    NUMBER,
    NUMBERS_BY_NAME,
    OBJECT,
    TEXT,
    TEXT_OR_OBJECT,
    FieldTable,
    Rule,
    string_or_strings,
)

_MAX_STOPS = 16


def _are_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


CHAT_FIELDS = FieldTable(
    own=frozenset(
        {
            "model",
            "messages",
            "stream",
            "stream_options",
            "n",
            "max_tokens",
            "max_completion_tokens",
        }
    ),
    passed={
        "chat_template_kwargs": OBJECT,
        "do_sample": BOOLEAN,
        "enable_thinking": BOOLEAN,
        "frequency_penalty": NUMBER,
        "function_call": TEXT_OR_OBJECT,
        "functions": Rule("a list of objects", _are_objects),
        "length_penalty": NUMBER,
        "logit_bias": NUMBERS_BY_NAME,
        "logprobs": BOOLEAN,
        "min_p": NUMBER,
        "parallel_tool_calls": BOOLEAN,
        "presence_penalty": NUMBER,
        "prompt_cache_key": TEXT,
        "prompt_cache_retention": TEXT,
        "prompt_mode": TEXT,
        "random_seed": INTEGER,
        "reasoning": OBJECT,
        "reasoning_effort": TEXT,
        "reasoning_split": BOOLEAN,
        "repeat_penalty": NUMBER,
        "repetition_penalty": NUMBER,
        "response_format": OBJECT,
        "safe_prompt": BOOLEAN,
        "seed": INTEGER,
        "stop": string_or_strings(_MAX_STOPS),
        "temperature": NUMBER,
        "thinking": OBJECT,
        "thinking_budget": INTEGER,
        "tool_choice": TEXT_OR_OBJECT,
        "tool_stream": BOOLEAN,
        "tools": LIST,
        "top_a": NUMBER,
        "top_k": INTEGER,
        "top_logprobs": INTEGER,
        "top_p": NUMBER,
        "typical_p": NUMBER,
        "verbosity": TEXT,
    },
    # LiteLLM would book the call under them, on the operator's side, and ``store`` would
    # leave the client's words in the operator's account.
    # A prediction makes an answer quicker and never better; what of it is not used costs as
    # output. Options of the cache choose where the provider keeps the prompt. The rest is what
    # clients of OpenRouter, Ollama and llama.cpp tell their servers about keeping and showing.
    dropped=frozenset(
        {
            "cache_prompt",
            "chat_id",
            "client_metadata",
            "copilot_thread_id",
            "include_reasoning",
            "intent",
            "keep_alive",
            "metadata",
            "num_ctx",
            "prediction",
            "prompt_cache_options",
            "request_id",
            "safety_identifier",
            "session_id",
            "snippy",
            "store",
            "trace",
            "usage",
            "user",
            "user_id",
        }
    ),
    neutral={"modalities": (["text"],), "service_tier": ("auto", "default")},
)
