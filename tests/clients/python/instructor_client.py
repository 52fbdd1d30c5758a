"""instructor: structured output by tools and by JSON."""

import instructor
from openai import OpenAI
from pydantic import BaseModel
from settings import API_KEY, MODEL, POOR_KEY, URL, refused


class Place(BaseModel):
    """A place on the map."""

    city: str


def ask(key: str, mode: instructor.Mode) -> Place:
    client = instructor.from_openai(OpenAI(base_url=URL, api_key=key), mode=mode)
    messages = [{"role": "user", "content": "Nairobi"}]
    return client.chat.completions.create(
        model=MODEL, messages=messages, response_model=Place, max_retries=0
    )


for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA):
    assert isinstance(ask(API_KEY, mode), Place)
with refused():
    ask(POOR_KEY, instructor.Mode.TOOLS)
