"""The fields of a chat request beside its messages."""

from __future__ import annotations

from adapters.wires.fields import (
    BOOLEAN,
    INTEGER,
    LIST,
    OBJECT,
    SEARCHES,
    TEXT,
    TEXT_OR_OBJECT,
    FieldTable,
    Rule,
)
from adapters.wires.openai.shared_fields import NOTES, SAMPLING, USUAL_TIERS


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
        **SAMPLING,
        # Of Groq, vLLM, SGLang and llama.cpp: how an answer is shown. What is not among them may
        # show the model text that is not in the request (``chat_template``, ``documents``).
        "add_generation_prompt": BOOLEAN,
        "cache_control": OBJECT,
        "citation_options": TEXT,
        "continue_final_message": BOOLEAN,
        "disable_tool_validation": BOOLEAN,
        "reasoning_format": TEXT,
        "separate_reasoning": BOOLEAN,
        "stream_reasoning": BOOLEAN,
        "chat_template_kwargs": OBJECT,
        "enable_thinking": BOOLEAN,
        "function_call": TEXT_OR_OBJECT,
        "functions": Rule("a list of objects", _are_objects),
        "logprobs": BOOLEAN,
        "parallel_tool_calls": BOOLEAN,
        "prompt_cache_key": TEXT,
        "prompt_cache_retention": TEXT,
        "prompt_mode": TEXT,
        "reasoning": OBJECT,
        "reasoning_effort": TEXT,
        "reasoning_split": BOOLEAN,
        "response_format": OBJECT,
        "safe_prompt": BOOLEAN,
        "thinking": OBJECT,
        "thinking_budget": INTEGER,
        "tool_choice": TEXT_OR_OBJECT,
        "tool_stream": BOOLEAN,
        "tools": LIST,
        "top_logprobs": INTEGER,
        "verbosity": TEXT,
    },
    # A prediction makes an answer quicker and never better; what of it is not used costs as
    # output. Options of the cache choose where the provider keeps the prompt.
    dropped=frozenset(
        {
            *NOTES,
            "include_reasoning",
            "incremental_output",
            "prediction",
            "prompt_cache_options",
            "result_format",
        }
    ),
    neutral={
        "best_of": (1,),
        "modalities": (["text"],),
        "search_parameters": ({"mode": "off"},),
        "service_tier": USUAL_TIERS,
    },
    refused={
        "deferred": "Answers come on the connection that asked for them.",
        "echo": "Only /v1/completions repeats the prompt.",
        "enable_search": SEARCHES,
        "modalities": "Answers come as text; speech is at /v1/audio/speech.",
        # In LiteLLM they would win over those that the operator has written for the model.
        "safety_settings": "The operator sets them.",
        "use_beam_search": "It writes more than comes back.",
        "vl_high_resolution_images": "Images are taken in the usual resolution.",
    },
)
