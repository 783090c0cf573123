"""`/v1/rerank` as Jina, Cohere and llama-server have it: documents in the order of how near they are to a question."""

from __future__ import annotations

from typing import Any

from app.engine.contract import EmbeddingVectors
from app.server.json_body import BadRequest, JsonBody

MOST_DOCUMENTS = 2048
# Reported with the scores, so that nobody takes them for a re-ranking model's: no model here re-ranks.
METHOD = "embedding_cosine"


class RerankRequest:
    """A question and documents; `texts` are all of them, the question first."""

    def __init__(self, body: JsonBody) -> None:
        """Raises BadRequest."""
        self.model = body.text_field("model", "")
        query = body.text_field("query")
        documents = [_text_of(body, number, value) for number, value in enumerate(body.list_field("documents"))]
        if not query or not 0 < len(documents) <= MOST_DOCUMENTS:
            raise BadRequest(f"send a query and 1 to {MOST_DOCUMENTS} documents", "documents")
        self.texts = [query, *documents]
        self._most = body.integer_field("top_n", 1, 1_000_000)
        self._returns_documents = body.boolean_field("return_documents")

    def response_body(self, found: EmbeddingVectors) -> dict[str, Any]:
        """Return results by falling similarity; ties keep the order of the request."""
        vectors = list(found.vectors)
        question, documents = vectors[0], vectors[1:]
        # The engine's vectors have length 1, so the product is the cosine.
        scores = [sum(a * b for a, b in zip(question, vector, strict=True)) for vector in documents]
        # Python's sort is stable: ties keep the order of the request.
        order = sorted(range(len(scores)), key=lambda number: -scores[number])[: self._most]
        results: list[dict[str, Any]] = []
        for number in order:
            result: dict[str, Any] = {"index": number, "relevance_score": round(scores[number], 6)}
            if self._returns_documents:
                result["document"] = {"text": self.texts[number + 1]}
            results.append(result)
        usage = {"prompt_tokens": found.prompt_tokens, "total_tokens": found.prompt_tokens}
        return {"object": "list", "model": self.model, "method": METHOD, "results": results, "usage": usage}


def _text_of(body: JsonBody, number: int, value: object) -> str:
    name = f"{body.name_of('documents')}[{number}]"
    # Cohere's clients send objects, Jina's and llama-server's texts.
    text = value.get("text") if isinstance(value, dict) else value
    if not isinstance(text, str) or not text:
        raise BadRequest(f"{name} must be a non-empty text, or an object with one in `text`", name)
    return text
