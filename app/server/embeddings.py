"""The OpenAI contract's embeddings: texts in, a vector for each of them out, as numbers or as base64."""

from __future__ import annotations

import array
import base64
import math
import sys
from collections.abc import Iterator
from typing import Any

from app.engine.contract import Embeddings
from app.server.body import BadRequest, Body

MOST_TEXTS = 2048
NUMBERS = "send texts: numbers of another tokenizer mean nothing here (LangChain: check_embedding_ctx_length=False)"


class EmbeddingRequest:
    """`/v1/embeddings`."""

    def __init__(self, body: Body) -> None:
        """Raises BadRequest."""
        self.model = body.text("model", "")
        self.texts = _texts_of(body)
        self._width = body.whole("dimensions", 1, 1_000_000)
        self._format = body.text("encoding_format", "float")
        if self._format not in ("float", "base64"):
            raise BadRequest("encoding_format must be float or base64", "encoding_format")

    def answer(self, found: Embeddings) -> dict[str, Any]:
        """The body of the answer; raises BadRequest for more dimensions than the model's vectors have."""
        if self._width is not None and self._width > found.width:
            words = f"dimensions must be at most {found.width}, the length of this model's vectors"
            raise BadRequest(words, "dimensions")
        told = [
            {"object": "embedding", "index": number, "embedding": self._told(vector)}
            for number, vector in enumerate(_shortened(found, self._width or found.width))
        ]
        usage = {"prompt_tokens": found.prompt_tokens, "total_tokens": found.prompt_tokens}
        return {"object": "list", "data": told, "model": self.model, "usage": usage}

    def _told(self, vector: array.array[float]) -> list[float] | str:
        if self._format == "float":
            return vector.tolist()
        if sys.byteorder == "big":
            vector = array.array("f", vector)
            vector.byteswap()
        return base64.b64encode(vector.tobytes()).decode("ascii")


def _shortened(found: Embeddings, width: int) -> Iterator[array.array[float]]:
    """The beginnings of the vectors, of length 1 again: what Matryoshka models are trained for."""
    if width == found.width:
        yield from found.vectors
        return
    for vector in found.vectors:
        length = math.hypot(*vector[:width]) or 1.0
        yield array.array("f", (number / length for number in vector[:width]))


def _texts_of(body: Body) -> list[str]:
    given = body.raw("input")
    found = [given] if isinstance(given, str) else body.many("input")
    if any(isinstance(one, int | list) for one in found):
        raise BadRequest(f"input: {NUMBERS}", "input")
    if not 0 < len(found) <= MOST_TEXTS or not all(isinstance(one, str) and one for one in found):
        raise BadRequest(f"input must be a text, or up to {MOST_TEXTS} texts, none of them empty", "input")
    return found
