"""OpenAI's SDK for Python, on chat."""

import json

from given import (
    CHAT_DOCUMENT,
    CHAT_PICTURE,
    CHAT_TOOL,
    EMBEDDING,
    MODEL,
    PAINTER,
    SPEAKER,
    URL,
    Call,
    Place,
    chat_messages,
    is_enough,
    joined,
)
from openai import OpenAI


def a_client(call: Call) -> OpenAI:
    return OpenAI(base_url=URL, api_key=call.key)


def ask(call: Call, *parts: dict, **fields: object) -> object:
    messages = chat_messages(call, *parts)
    return a_client(call).chat.completions.create(model=MODEL, messages=messages, **fields)


def plain(call: Call) -> str:
    return ask(call).choices[0].message.content


def streamed(call: Call) -> str:
    return joined(chunk.choices[0].delta.content for chunk in ask(call, stream=True))


def tools(call: Call) -> str:
    done = ask(call, tools=[CHAT_TOOL])
    return done.choices[0].message.tool_calls[0].function.name


def structured(call: Call) -> dict:
    done = a_client(call).chat.completions.parse(
        model=MODEL,
        messages=[{"role": "user", "content": call.prompt}],
        response_format=Place,
    )
    assert json.loads(done.choices[0].message.content)
    return done.choices[0].message.parsed.model_dump()


def images(call: Call) -> str:
    return ask(call, CHAT_PICTURE).choices[0].message.content


def documents(call: Call) -> str:
    return ask(call, CHAT_DOCUMENT).choices[0].message.content


def embeddings(call: Call) -> int:
    return len(
        a_client(call).embeddings.create(model=EMBEDDING, input=[call.prompt, call.prompt]).data
    )


def made_images(call: Call) -> int:
    return len(a_client(call).images.generate(model=PAINTER, prompt=call.prompt).data)


def speech(call: Call) -> bool:
    asked = {"model": SPEAKER, "voice": "alloy", "input": call.prompt}
    return bool(a_client(call).audio.speech.create(**asked).content)


def cancelled(call: Call) -> str:
    with ask(call, stream=True) as stream:
        return joined((chunk.choices[0].delta.content for chunk in stream), is_enough)
