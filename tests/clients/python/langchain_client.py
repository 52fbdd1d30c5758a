"""LangChain's classes for OpenAI."""

from collections.abc import Iterator

from given import (
    DOCUMENT_64,
    EMBEDDING,
    MODEL,
    PICTURE_64,
    URL,
    Call,
    Place,
    chat_messages,
    is_enough,
    joined,
    weather,
)
from langchain_openai import ChatOpenAI, OpenAIEmbeddings


def a_model(call: Call) -> ChatOpenAI:
    return ChatOpenAI(model=MODEL, base_url=URL, api_key=call.key)


def ask(call: Call, *parts: dict) -> str:
    return a_model(call).invoke(chat_messages(call, *parts)).text


def plain(call: Call) -> str:
    return ask(call)


def streamed(call: Call) -> str:
    return joined(pieces(call))


def pieces(call: Call) -> Iterator[str]:
    return (part.text for part in a_model(call).stream(call.prompt))


def tools(call: Call) -> str:
    return a_model(call).bind_tools([weather]).invoke(call.prompt).tool_calls[0]["name"]


def structured(call: Call) -> dict:
    return a_model(call).with_structured_output(Place).invoke(call.prompt).model_dump()


def images(call: Call) -> str:
    return ask(call, {"type": "image", "base64": PICTURE_64, "mime_type": "image/png"})


def documents(call: Call) -> str:
    file = {"base64": DOCUMENT_64, "mime_type": "application/pdf", "filename": "a.pdf"}
    return ask(call, {"type": "file", **file})


def embeddings(call: Call) -> int:
    # It would count tokens by a table that it fetches for OpenAI's own models.
    model = OpenAIEmbeddings(
        model=EMBEDDING, base_url=URL, api_key=call.key, check_embedding_ctx_length=False
    )
    return len(model.embed_documents([call.prompt, call.prompt]))


def cancelled(call: Call) -> str:
    return joined(pieces(call), is_enough)
