"""Write ``creditcore_client`` from the OpenAPI document that the account API serves.

Run it from the repository: ``python contrib/python/generate.py``. A test compares.
"""

from __future__ import annotations

import builtins
import keyword
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

HERE = Path(__file__).parent
TARGET = HERE / "creditcore_client" / "__init__.py"
_WIDTH = 92
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_HEAD = '''"""A typed client of the account API: balance, keys, usage, receipts.

Written by contrib/python/generate.py from the OpenAPI document; do not edit.
It is longer than other modules because it is written in one go, to be read by type checkers.

    client = Client("https://ai.example.com", "sk-cc-...")
    client.read_credits()["available"]

Credits are exact decimal text, instants RFC 3339 text. What is refused raises ``ApiError``.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from creditcore_client._transport import ApiError, Transport

__all__ = ["ApiError", "Client", "Transport"]
'''

Schema = Mapping[str, Any]


def generated(document: Schema) -> str:
    """Return the client of an OpenAPI 3.1 document, as Python in this repository's layout."""
    schemas = dict(document["components"]["schemas"])
    del schemas["Error"]  # which becomes an exception
    parts = [_HEAD, *(_shape(name, schema) for name, schema in schemas.items())]
    methods = [
        _method(method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    parts.append("class Client(Transport):\n" + _doc("The operations of the account API.", 1))
    return _formatted("\n\n".join(parts) + "\n" + "\n".join(methods))


def _formatted(text: str) -> str:
    ruff = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", str(TARGET), "-"]
    done = subprocess.run(  # noqa: S603 - our own tool
        ruff, input=text, text=True, capture_output=True, check=True, cwd=HERE.parents[1]
    )
    return done.stdout


def _shape(name: str, schema: Schema) -> str:
    if "enum" in schema:
        return f"{name} = {_type(schema)}"
    required = set(schema.get("required", ()))
    lines = [f"class {name}(TypedDict):", _doc(schema["description"], 1)]
    for field, of in schema["properties"].items():
        kind = _type(of)
        lines.append(f"    {field}: {kind if field in required else f'NotRequired[{kind}]'}")
        if "description" in of:
            lines.append(_doc(of["description"], 1).rstrip())
    return "\n".join(lines)


def _method(method: str, path: str, operation: Schema) -> str:
    [answer] = [found for status, found in operation["responses"].items() if status < "300"]
    media = answer["content"]
    names = [_safe(each["name"]) for each in operation["parameters"] if each["in"] == "path"]
    asked = [
        each
        for each in operation["parameters"]
        # What chooses another kind of answer than JSON is left out: this reads JSON.
        if each["in"] == "query" and not (each["name"] == "format" and len(media) > 1)
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    told = _type(media["application/json"]["schema"])
    signature = [f"{name}: str" for name in names]
    signature += [f"body: {_type(body['schema'])}"] if body else []
    signature += ["*"] if asked else []
    signature += [f"{each['name']}: {_type(each['schema'])} | None = None" for each in asked]
    sent = [f'"{method.upper()}"', f'"{path}"']
    sent += [f"names={_named(names)}"] if names else []
    sent += [f"query={_named(each['name'] for each in asked)}"] if asked else []
    sent += ["body=body"] if body else []
    lines = [f"    def {_name(method, operation)}("]
    lines += [f"        {each}," for each in ("self", *signature)]
    lines += [f"    ) -> {told}:", _doc(f"{operation['summary']}.", 2).rstrip()]
    lines += [f"        answer: {told} = self.call("]
    lines += [f"            {each}," for each in sent]
    return "\n".join([*lines, "        )", "        return answer", ""])


def _named(names: Iterable[str]) -> str:
    return "{" + ", ".join(f'"{name}": {name}' for name in names) + "}"


def _name(method: str, operation: Schema) -> str:
    name = str(operation["operationId"])
    return f"read_{name}" if method == "get" and "_" not in name else name


def _safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) or hasattr(builtins, name) else name


def _type(of: Schema) -> str:
    if "$ref" in of:
        return str(of["$ref"]).rpartition("/")[2]
    if "anyOf" in of:
        return " | ".join(map(_type, of["anyOf"]))
    if "enum" in of or "const" in of:
        return f"Literal[{', '.join(repr(each) for each in of.get('enum', [of.get('const')]))}]"
    if of.get("type") == "array":
        return f"list[{_type(of.get('items', {}))}]"
    if of.get("type") == "object":
        return "dict[str, Any]"
    return _PLAIN.get(str(of.get("type")), "Any")


def _doc(text: str, depth: int) -> str:
    indent = "    " * depth
    return "\n".join(_lines(text.strip(), indent)) + "\n"


def _lines(text: str, indent: str) -> Iterator[str]:
    lines = wrap(text, _WIDTH - len(indent))
    for number, line in enumerate(lines):
        yield f"{indent}{chr(34) * 3 if number == 0 else ''}{line}" + (
            chr(34) * 3 if number == len(lines) - 1 else ""
        )


def main() -> None:
    """Write the client."""
    sys.path.insert(0, str(HERE.parents[1]))
    from adapters.flask_web import app  # noqa: F401 - declares the operations
    from adapters.flask_web.api.openapi import described

    TARGET.write_text(generated(described()))


if __name__ == "__main__":
    main()
