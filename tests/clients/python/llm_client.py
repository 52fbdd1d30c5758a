"""llm as a library, which its command is made of."""

import json
import os

import llm
from given import DOCUMENT, MODEL, PICTURE, URL, Call, Place, is_enough, joined, weather
from llm.default_plugins.openai_models import Chat


def ask(call: Call, **fields: object) -> llm.Response:
    model = Chat(
        "creditcore",
        model_name=MODEL,
        api_base=URL,
        vision=True,
        supports_schema=True,
        supports_tools=True,
    )
    return model.prompt(call.prompt, key=call.key, **fields)


def plain(call: Call) -> str:
    return ask(call, stream=False).text()


def streamed(call: Call) -> str:
    return joined(ask(call))


def tools(call: Call) -> str:
    return ask(call, tools=[weather]).tool_calls()[0].name


def structured(call: Call) -> dict:
    return json.loads(ask(call, schema=Place).text())


def images(call: Call) -> str:
    return ask(call, attachments=[llm.Attachment(content=PICTURE, type="image/png")]).text()


def documents(call: Call) -> str:
    attachment = llm.Attachment(content=DOCUMENT, type="application/pdf")
    return ask(call, attachments=[attachment]).text()


def embeddings(call: Call) -> int:
    # Its own names of OpenAI's models, wherever the variable of OpenAI's SDK leads.
    os.environ["OPENAI_BASE_URL"] = URL
    model = llm.get_embedding_model("text-embedding-3-small")
    model.key = call.key
    return len(list(model.embed_multi([call.prompt, call.prompt])))


def cancelled(call: Call) -> str:
    return joined(ask(call), is_enough)
