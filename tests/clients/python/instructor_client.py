"""instructor: all that it does is structured output, by tools; text is as OpenAI's SDK has it."""

import instructor
from given import DOCUMENT_URL, MODEL, PICTURE_URL, URL, Call, Place, is_enough, joined
from instructor.processing.multimodal import PDF, Image
from openai import OpenAI
from pydantic import create_model


def a_client(call: Call, mode: instructor.Mode = instructor.Mode.TOOLS) -> instructor.Instructor:
    return instructor.from_openai(OpenAI(base_url=URL, api_key=call.key), mode=mode)


def asked(*parts: object) -> dict:
    return {"model": MODEL, "messages": [{"role": "user", "content": list(parts)}]}


def plain(call: Call) -> str:
    done = a_client(call).create(response_model=None, **asked(call.prompt))
    return done.choices[0].message.content


def streamed(call: Call) -> dict:
    *_, last = a_client(call).create_partial(response_model=Place, **asked(call.prompt))
    return last.model_dump()


def tools(call: Call) -> str:
    # The answer is an object whose class became the tool.
    weather = create_model("weather", city=str)
    return type(a_client(call).create(response_model=weather, **asked(call.prompt))).__name__


def structured(call: Call) -> dict:
    client = a_client(call, instructor.Mode.JSON_SCHEMA)
    return client.create(response_model=Place, **asked(call.prompt)).model_dump()


def images(call: Call) -> dict:
    picture = Image.from_base64(PICTURE_URL)
    return a_client(call).create(response_model=Place, **asked(call.prompt, picture)).model_dump()


def documents(call: Call) -> dict:
    document = PDF.from_base64(DOCUMENT_URL)
    return a_client(call).create(response_model=Place, **asked(call.prompt, document)).model_dump()


def cancelled(call: Call) -> str:
    with a_client(call).create(response_model=None, stream=True, **asked(call.prompt)) as stream:
        return joined((chunk.choices[0].delta.content for chunk in stream), is_enough)
