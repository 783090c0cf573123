"""llama-server's own endpoints: tokens, infill, properties, metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app import __version__
from app.core.events import Finished, FinishReason, TextDelta, TokenSeen
from app.features.serving.generation_request import AnswerEvent, GenerationRequest
from app.features.serving.request_journal import RequestTotals
from app.features.serving.served_models import ServedModel
from app.server.api_answers import ApiAnswer, event_line
from app.server.json_body import BadRequest, JsonBody
from app.server.openai import most_tokens

MOST_CHARACTERS = 200_000
"""Limit of a text to tokenize: all tokens are sent in one message of the engine."""
MOST_TOKEN_IDS = 100_000
MOST_SNIPPETS = 64


class TokenizeRequest:
    """`/tokenize`: the numbers of a text's tokens, with their pieces where these are wanted."""

    def __init__(self, body: JsonBody) -> None:
        """Raises BadRequest."""
        self.model = body.text_field("model", "")
        self.text = body.text_field("content", "")
        if len(self.text) > MOST_CHARACTERS:
            raise BadRequest(f"content must have at most {MOST_CHARACTERS} characters", "content")
        self.adds_special = body.boolean_field("add_special")
        self.parses_special = body.boolean_field("parse_special", default=True)
        self._has_pieces = body.boolean_field("with_pieces")

    def response_body(self, tokens: Sequence[TokenSeen]) -> dict[str, Any]:
        if not self._has_pieces:
            return {"tokens": [token.id for token in tokens]}
        return {"tokens": [{"id": token.id, "piece": _piece_value(token.data)} for token in tokens]}


def _piece_value(data: bytes) -> str | list[int]:
    """Return a text; the bytes as numbers where they are a part of a character."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        # A token may hold a part of a character; llama-server gives the bytes there.
        return list(data)


def token_ids_of(body: JsonBody) -> tuple[int, ...]:
    """Return the token ids for `/detokenize`. Raises BadRequest."""
    found = body.list_field("tokens")
    if len(found) > MOST_TOKEN_IDS or not all(type(token) is int and 0 <= token < 1 << 31 for token in found):
        raise BadRequest(f"tokens must be at most {MOST_TOKEN_IDS} token ids", "tokens")
    return tuple(found)


class InfillRequest:
    """`/infill`: fill in between `input_prefix` and `input_suffix`; `prompt` follows the prefix.

    Other files come first, in llama-server's format for models without tokens for them.
    """

    chats = False

    def __init__(self, body: JsonBody) -> None:
        """Raises BadRequest."""
        self.model, self.streams = body.text_field("model", ""), body.boolean_field("stream")
        snippets = body.object_list("input_extra")
        if len(snippets) > MOST_SNIPPETS:
            raise BadRequest(f"input_extra must be at most {MOST_SNIPPETS} texts", "input_extra")
        extra = "".join(
            f"--- {snippet.text_field('filename', 'snippet')} ---\n{snippet.text_field('text')}\n"
            for snippet in snippets
        )
        before = extra + body.text_field("input_prefix", "") + body.text_field("prompt", "")
        wanted = GenerationRequest(
            text=before,
            suffix=body.text_field("input_suffix", ""),
            max_tokens=most_tokens(body, "n_predict", "max_tokens"),
            sampling=body.read_sampling(),
            stop=body.stop_strings("stop"),
        )
        self.wanted, self.answers = [wanted], [ApiAnswer()]

    def begin_stream(self) -> Iterator[bytes]:
        return iter(())

    def write_event(self, number: int, event: AnswerEvent) -> Iterator[bytes]:
        self.answers[number].add_event(event)
        if isinstance(event, TextDelta):
            yield event_line({"content": event.text, "stop": False})
        elif isinstance(event, Finished):
            yield event_line(self._end_body(""))

    def end_stream(self) -> Iterator[bytes]:
        return iter(())

    def error_event(self, error: dict[str, Any]) -> bytes:
        return event_line(error)

    def complete_body(self) -> dict[str, Any]:
        return self._end_body(self.answers[0].text)

    def _end_body(self, content: str) -> dict[str, Any]:
        answer = self.answers[0]
        stats = answer.stats
        is_full = stats is not None and stats.finish_reason is FinishReason.CONTEXT
        return {
            "content": content,
            "stop": True,
            "model": self.model,
            # llama-server's words for how an answer ended.
            "stop_type": "limit" if answer.is_cut else "eos",
            "truncated": is_full,
            "tokens_predicted": stats.generated_tokens if stats else 0,
            "tokens_evaluated": stats.prompt_tokens if stats else 0,
            "tokens_cached": stats.reused_tokens if stats else 0,
        }


def properties_of(model: ServedModel | None) -> dict[str, Any]:
    """Return `/props` for the default model."""
    # No path of the model's file: that would tell the user's folders.
    return {
        "default_generation_settings": {"n_ctx": model.context_tokens if model is not None else 0},
        # One, though requests share the engine: clients divide the context by this number.
        "total_slots": 1,
        "model_alias": model.name if model is not None else "",
        "modalities": {"vision": model is not None and model.sees, "audio": model is not None and model.hears},
        "n_ctx_train": model.trained_context_tokens if model is not None else 0,
        "build_info": f"fireside {__version__}",
    }


_METRICS = (
    ("requests_total", "counter", "Requests answered or refused."),
    ("requests_failed_total", "counter", "Requests refused or interrupted."),
    ("prompt_tokens_total", "counter", "Prompt tokens, including reused ones."),
    ("generated_tokens_total", "counter", "Tokens generated."),
    ("request_seconds_total", "counter", "Time from each request to the end of its answer."),
    ("requests_in_progress", "gauge", "Requests in progress."),
)


def metrics_text(totals: RequestTotals) -> str:
    """Return `/metrics` for Prometheus: counts since the start, and no content."""
    values = (
        totals.requests,
        totals.failed,
        totals.prompt_tokens,
        totals.generated_tokens,
        round(totals.seconds, 3),
        totals.in_progress,
    )
    return "".join(
        f"# HELP fireside_{name} {words}\n# TYPE fireside_{name} {kind}\nfireside_{name} {value}\n"
        for (name, kind, words), value in zip(_METRICS, values, strict=True)
    )
