"""Which address of the API a client means, whose base URL is not quite ours."""

from __future__ import annotations

from collections.abc import Iterable

MODELS = "/v1/models"

_BILLING = "/v1/dashboard/billing/"
"""What balance widgets ask for: the account's, though its address is the inference API's."""

_LATER_VERSIONS = {"/v2/rerank": "/v1/rerank"}
"""Where Cohere's newer clients ask for the same."""

_ACCOUNT = "/api/"
_MODELS_ELSEWHERE = ("/v1/models", "/openai/models")
"""How lists of models end behind base URLs of other services; no page of the site does."""


class Addresses:
    """Knows the endpoints of all protocols.

    A base URL that lacks the ``/v1``, or has it twice, or a slash too many, is understood. One
    that another service has (``/openai/v1``, ``/anthropic``), or that is an endpoint itself, is
    told what to be.
    """

    def __init__(self, endpoints: Iterable[str], *, base_url: str) -> None:
        """Take the endpoints that are asked by POST."""
        self._endpoints = frozenset(endpoints)
        self._ends = tuple(endpoint.removeprefix("/v1") for endpoint in self._endpoints)
        self._meant_elsewhere = (*self._ends, *_MODELS_ELSEWHERE)
        self._base_url = base_url

    def meant(self, path: str, *, has_key: bool) -> str:
        """Return the path that a client means whose base URL has a part too few or too many.

        Args:
            path: As it came.
            has_key: Whether a key comes with it. The site's own pages of models do not have one.
        """
        plain = "/" + "/".join(filter(None, path.split("/")))
        while plain.startswith("/v1/v1/"):
            plain = plain.removeprefix("/v1")
        for meant in (_LATER_VERSIONS.get(plain, plain), f"/v1{plain}"):
            if meant in self._endpoints:
                return meant
        if is_of_models(plain):
            return plain
        return f"/v1{plain}" if has_key and is_of_models(f"/v1{plain}") else path

    def is_of_the_api(self, path: str, method: str, *, has_key: bool) -> bool:
        """Whether an address is answered as a program understands it, rather than by the site."""
        if path == "/v1" or path.startswith("/v1/"):
            return not path.startswith(_BILLING)
        if has_key and path.endswith(_MODELS_ELSEWHERE):
            return not path.startswith(_ACCOUNT)
        return method in ("POST", "OPTIONS") and path.endswith(self._ends)

    def advice(self, path: str) -> str:
        """Return what a client is told whose address is none."""
        message = f"There is no {path} here."
        if not path.endswith(self._meant_elsewhere):
            return f"{message} See {self._base_url}/ for what there is."
        return (
            f"{message} As the base URL, OpenAI's clients take {self._base_url}/v1,"
            f" Anthropic's {self._base_url}."
        )


def is_of_models(path: str) -> bool:
    """Whether a path is that of the list of models, or of one of them."""
    return path == MODELS or path.startswith(f"{MODELS}/")
