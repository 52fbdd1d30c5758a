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
_SEARCHES = "Searches of the provider cost by use: run them yourself as a tool."


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
        # Of Groq, vLLM and SGLang: how an answer is decoded and shown. What is not among them may
        # show the model text that is not in the request (``chat_template``, ``documents``).
        "add_generation_prompt": BOOLEAN,
        "citation_options": TEXT,
        "continue_final_message": BOOLEAN,
        "disable_tool_validation": BOOLEAN,
        "guided_choice": LIST,
        "guided_grammar": TEXT,
        "guided_json": TEXT_OR_OBJECT,
        "guided_regex": TEXT,
        "ignore_eos": BOOLEAN,
        "include_stop_str_in_output": BOOLEAN,
        "min_tokens": INTEGER,
        "reasoning_format": TEXT,
        "separate_reasoning": BOOLEAN,
        "skip_special_tokens": BOOLEAN,
        "stop_token_ids": LIST,
        "stream_reasoning": BOOLEAN,
        "structured_outputs": OBJECT,
        "truncate_prompt_tokens": INTEGER,
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
            "conversation_id",
            "copilot_thread_id",
            "id_slot",
            "include_reasoning",
            "incremental_output",
            "intent",
            "keep_alive",
            "metadata",
            "num_ctx",
            "prediction",
            "priority",
            "prompt_cache_options",
            "request_id",
            "result_format",
            "return_token_ids",
            "safety_identifier",
            "session_id",
            "snippy",
            "store",
            "thread_id",
            "timings_per_token",
            "trace",
            "usage",
            "user",
            "user_id",
            "user_security_context",
        }
    ),
    neutral={
        "best_of": (1,),
        "deferred": (False,),
        "echo": (False,),
        "enable_search": (False,),
        "modalities": (["text"],),
        "search_parameters": ({"mode": "off"},),
        "service_tier": ("auto", "default"),
        "use_beam_search": (False,),
        "vl_high_resolution_images": (False,),
    },
    refused={
        "deferred": "Answers come on the connection that asked for them.",
        "enable_search": _SEARCHES,
        "search_parameters": _SEARCHES,
    },
)
