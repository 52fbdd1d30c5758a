"""Anthropic's SDK for Python."""

from anthropic import Anthropic
from given import BASE_URL, CLAUDE, DOCUMENT_64, PICTURE_64, TOOL, Call, Place, is_enough, joined


def a_client(call: Call) -> Anthropic:
    return Anthropic(base_url=BASE_URL, api_key=call.key)


def asked(call: Call, *parts: dict) -> dict:
    content = [*parts, {"type": "text", "text": call.prompt}]
    return {
        "model": CLAUDE,
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": content}],
    }


def plain(call: Call) -> str:
    return a_client(call).messages.create(**asked(call)).content[0].text


def streamed(call: Call) -> str:
    with a_client(call).messages.stream(**asked(call)) as stream:
        return joined(stream.text_stream)


def tools(call: Call) -> str:
    tool = {
        "name": TOOL["name"],
        "description": TOOL["description"],
        "input_schema": TOOL["parameters"],
    }
    return a_client(call).messages.create(**asked(call), tools=[tool]).content[0].name


def structured(call: Call) -> dict:
    done = a_client(call).messages.parse(**asked(call), output_format=Place)
    return done.parsed_output.model_dump()


def images(call: Call) -> str:
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE_64}
    return (
        a_client(call)
        .messages.create(**asked(call, {"type": "image", "source": source}))
        .content[0]
        .text
    )


def documents(call: Call) -> str:
    source = {"type": "base64", "media_type": "application/pdf", "data": DOCUMENT_64}
    done = a_client(call).messages.create(**asked(call, {"type": "document", "source": source}))
    return done.content[0].text


def cancelled(call: Call) -> str:
    with a_client(call).messages.stream(**asked(call)) as stream:
        return joined(stream.text_stream, is_enough)
