"""smolagents, by its model for OpenAI's protocol."""

import io
import json
from collections.abc import Iterator

from given import MODEL, PICTURE, URL, Call, Place, chat_messages, is_enough, joined
from given import weather as tell_weather
from PIL import Image
from smolagents import OpenAIModel, tool

weather = tool(tell_weather)


def a_model(call: Call) -> OpenAIModel:
    # By default it would wait for up to twenty minutes before it tells of a 429.
    return OpenAIModel(model_id=MODEL, api_base=URL, api_key=call.key, retry=False)


def plain(call: Call) -> str:
    return a_model(call).generate(chat_messages(call)).content


def streamed(call: Call) -> str:
    return joined(pieces(call))


def pieces(call: Call) -> Iterator[str | None]:
    return (part.content for part in a_model(call).generate_stream(chat_messages(call)))


def tools(call: Call) -> str:
    done = a_model(call).generate(chat_messages(call), tools_to_call_from=[weather])
    return done.tool_calls[0].function.name


def structured(call: Call) -> dict:
    schema = {"name": "place", "schema": Place.model_json_schema()}
    wanted = {"type": "json_schema", "json_schema": schema}
    return json.loads(a_model(call).generate(chat_messages(call), response_format=wanted).content)


def images(call: Call) -> str:
    # It saves the picture anew; the same pixels, in bytes of its own.
    picture = {"type": "image", "image": Image.open(io.BytesIO(PICTURE))}
    return a_model(call).generate(chat_messages(call, picture)).content


def cancelled(call: Call) -> str:
    return joined(pieces(call), is_enough)
