"""LangChain's classes for OpenAI."""

from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from runner import (
    DOCUMENT_64,
    EMBEDDING,
    MODEL,
    PICTURE_64,
    URL,
    Call,
    Place,
    is_enough,
    run,
    weather,
)


def a_model(call: Call) -> ChatOpenAI:
    return ChatOpenAI(model=MODEL, base_url=URL, api_key=call.key)


def ask(call: Call, *parts: dict) -> str:
    content = [{"type": "text", "text": call.prompt}, *parts]
    return a_model(call).invoke([HumanMessage(content)]).text


def plain(call: Call) -> str:
    return ask(call)


def streamed(call: Call) -> str:
    return "".join(part.text for part in a_model(call).stream(call.prompt))


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
    text = ""
    for part in a_model(call).stream(call.prompt):
        text += part.text
        if is_enough(text):
            break
    return text


run(
    plain=plain,
    streamed=streamed,
    tools=tools,
    structured=structured,
    images=images,
    documents=documents,
    embeddings=embeddings,
    cancelled=cancelled,
)
