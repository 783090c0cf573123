"""The OpenAI contract of embeddings: texts in, a vector for each of them out, as numbers or as base64."""

from __future__ import annotations

import array
import base64
import math
import sys
from collections.abc import Iterator
from typing import Any

from app.engine.contract import EmbeddingVectors
from app.server.json_body import BadRequest, JsonBody

MOST_TEXTS = 2048
NUMBERS = "send texts: token ids of another tokenizer are not supported (LangChain: check_embedding_ctx_length=False)"


class EmbeddingRequest:
    """Contract of OpenAI's `/v1/embeddings`."""

    def __init__(self, body: JsonBody) -> None:
        """Raises BadRequest."""
        self.model = body.text_field("model", "")
        self.texts = _texts_of(body)
        self._width = body.integer_field("dimensions", 1, 1_000_000)
        self._format = body.text_field("encoding_format", "float")
        if self._format not in ("float", "base64"):
            raise BadRequest("encoding_format must be float or base64", "encoding_format")

    def response_body(self, found: EmbeddingVectors) -> dict[str, Any]:
        """Return the body of the answer; raises BadRequest for more dimensions than the model's vectors have."""
        if self._width is not None and self._width > found.width:
            words = f"dimensions must be at most {found.width}, the length of this model's vectors"
            raise BadRequest(words, "dimensions")
        data = [
            {"object": "embedding", "index": number, "embedding": self._encode_vector(vector)}
            for number, vector in enumerate(_shorten_vectors(found, self._width or found.width))
        ]
        usage = {"prompt_tokens": found.prompt_tokens, "total_tokens": found.prompt_tokens}
        return {"object": "list", "data": data, "model": self.model, "usage": usage}

    def _encode_vector(self, vector: array.array[float]) -> list[float] | str:
        if self._format == "float":
            return vector.tolist()
        if sys.byteorder == "big":
            # The contract's base64 is of little-endian floats. A copy: the vectors stay as they are.
            vector = array.array("f", vector)
            vector.byteswap()
        return base64.b64encode(vector.tobytes()).decode("ascii")


def _shorten_vectors(found: EmbeddingVectors, width: int) -> Iterator[array.array[float]]:
    """Yield the beginnings of the vectors, of length 1 again."""
    if width == found.width:
        yield from found.vectors
        return
    for vector in found.vectors:
        # Matryoshka models are trained so that a beginning is a vector, too; cut, it is shorter than 1.
        length = math.hypot(*vector[:width]) or 1.0
        yield array.array("f", (number / length for number in vector[:width]))


def _texts_of(body: JsonBody) -> list[str]:
    given = body.raw_value("input")
    found = [given] if isinstance(given, str) else body.list_field("input")
    # LangChain counts tokens with OpenAI's tokenizer and sends the numbers.
    if any(isinstance(item, int | list) for item in found):
        raise BadRequest(f"input: {NUMBERS}", "input")
    if not 0 < len(found) <= MOST_TEXTS or not all(isinstance(text, str) and text for text in found):
        raise BadRequest(f"input must be a non-empty text or up to {MOST_TEXTS} of them", "input")
    return found
