"""The litellm SDK as a client."""

import json
from collections.abc import Iterator

import litellm
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


def ask(call: Call, *parts: dict, **fields: object) -> object:
    return litellm.completion(
        f"openai/{MODEL}", chat_messages(call, *parts), api_base=URL, api_key=call.key, **fields
    )


def plain(call: Call) -> str:
    return ask(call).choices[0].message.content


def streamed(call: Call) -> str:
    return joined(pieces(call))


def pieces(call: Call) -> Iterator[str | None]:
    return (part.choices[0].delta.content for part in ask(call, stream=True))


def tools(call: Call) -> str:
    done = ask(call, tools=[CHAT_TOOL])
    return done.choices[0].message.tool_calls[0].function.name


def structured(call: Call) -> dict:
    return json.loads(ask(call, response_format=Place).choices[0].message.content)


def images(call: Call) -> str:
    return ask(call, CHAT_PICTURE).choices[0].message.content


def documents(call: Call) -> str:
    return ask(call, CHAT_DOCUMENT).choices[0].message.content


def embeddings(call: Call) -> int:
    done = litellm.embedding(
        f"openai/{EMBEDDING}", input=[call.prompt, call.prompt], api_base=URL, api_key=call.key
    )
    return len(done.data)


def made_images(call: Call) -> int:
    done = litellm.image_generation(
        call.prompt, model=f"openai/{PAINTER}", api_base=URL, api_key=call.key
    )
    return len(done.data)


def speech(call: Call) -> bool:
    asked = {"model": f"openai/{SPEAKER}", "voice": "alloy", "input": call.prompt}
    return bool(litellm.speech(**asked, api_base=URL, api_key=call.key).content)


def cancelled(call: Call) -> str:
    return joined(pieces(call), is_enough)
