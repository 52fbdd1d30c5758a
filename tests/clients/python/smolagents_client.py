"""smolagents, by its model for OpenAI's protocol."""

import io
import json

from PIL import Image
from runner import MODEL, PICTURE, URL, Call, Place, is_enough, run
from runner import weather as tell_weather
from smolagents import OpenAIModel, tool

weather = tool(tell_weather)


def a_model(call: Call) -> OpenAIModel:
    # By default it would wait for up to twenty minutes before it tells of a 429.
    return OpenAIModel(model_id=MODEL, api_base=URL, api_key=call.key, retry=False)


def asked(call: Call, *parts: dict) -> list[dict]:
    return [{"role": "user", "content": [{"type": "text", "text": call.prompt}, *parts]}]


def plain(call: Call) -> str:
    return a_model(call).generate(asked(call)).content


def streamed(call: Call) -> str:
    return "".join(part.content or "" for part in a_model(call).generate_stream(asked(call)))


def tools(call: Call) -> str:
    done = a_model(call).generate(asked(call), tools_to_call_from=[weather])
    return done.tool_calls[0].function.name


def structured(call: Call) -> dict:
    schema = {"name": "place", "schema": Place.model_json_schema()}
    wanted = {"type": "json_schema", "json_schema": schema}
    return json.loads(a_model(call).generate(asked(call), response_format=wanted).content)


def images(call: Call) -> str:
    # It saves the picture anew; the same pixels, in bytes of its own.
    picture = {"type": "image", "image": Image.open(io.BytesIO(PICTURE))}
    return a_model(call).generate(asked(call, picture)).content


def cancelled(call: Call) -> str:
    text = ""
    for part in a_model(call).generate_stream(asked(call)):
        text += part.content or ""
        if is_enough(text):
            break
    return text


run(
    plain=plain,
    streamed=streamed,
    tools=tools,
    structured=structured,
    images=images,
    cancelled=cancelled,
)
