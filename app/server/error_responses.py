"""What a client is sent of an error: status, code and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import ClientDisconnect

from app.core.errors import request_errors
from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentTooDemanding, DocumentUnreadable, PictureUnreadable
from app.core.errors.model_errors import ModelNotInstalled, ModelNotLoaded, ModelTooLarge, NoModel, NoRoomForModel
from app.features.error_messages import sentence_for
from app.server.api_answers import ApiContract, field_of
from app.server.json_body import BadRequest, error_body

# The first that fits counts, so the special ones stand before AppError and ValueError.
_STATUS: Sequence[tuple[type[Exception], int, str]] = (
    (request_errors.PromptTooLong, 400, "context_length_exceeded"),
    (request_errors.GrammarInvalid, 400, "invalid_schema"),
    (request_errors.TokenUnknown, 400, "unknown_token"),
    (request_errors.ChatUnavailable, 400, "no_chat_template"),
    (request_errors.EmbeddingsUnavailable, 400, "no_embeddings"),
    (request_errors.MediaRefused, 400, "no_pictures"),
    (PictureUnreadable, 400, "bad_picture"),
    (DocumentUnreadable, 400, "bad_picture"),
    (DocumentTooDemanding, 400, "bad_picture"),
    (request_errors.InfillUnavailable, 400, "no_infill"),
    (ModelNotInstalled, 404, "model_not_found"),
    (ModelNotLoaded, 503, "model_not_loaded"),
    (NoModel, 503, "no_model"),
    (NoRoomForModel, 503, "no_room"),
    (ModelTooLarge, 503, "no_room"),
    (BadRequest, 400, "invalid_request"),
    (ClientDisconnect, 499, "gone"),
    (AppError, 503, "unavailable"),
    (ValueError, 400, "invalid_request"),
)


def status_of(error: BaseException) -> int:
    return next((status for kind, status, _ in _STATUS if isinstance(error, kind)), 500)


def with_field(error: BaseException, contract: ApiContract) -> BadRequest | None:
    """Return the same with the field of the request that it is about, where it is about one."""
    field = field_of(error, contract.wanted[0])
    if not field or not isinstance(error, AppError):
        return None
    code = next(code for kind, _, code in _STATUS if isinstance(error, kind))
    return BadRequest(f"{field}: {sentence_for(error).english}", field, code=code)


def failure_response(path: str, error: Exception) -> tuple[int, dict[str, Any]]:
    """Return the status and body for an error; a prompt that is too long is reported with its numbers."""
    status, code = next((status, code) for kind, status, code in _STATUS if isinstance(error, kind))
    if isinstance(error, request_errors.PromptTooLong):
        body = error_body(path, _too_long(error), status=status, code=code)
        # llama-server's fields for the same numbers.
        body["error"] |= {"n_prompt_tokens": error.prompt_tokens, "n_ctx": error.context_tokens}
        return status, body
    words = sentence_for(error).english if isinstance(error, AppError) else str(error)
    return status, error_body(path, words, status=status, code=code)


_ROOM = {
    "model": "This model supports at most {tokens} tokens: send less, or use one with a longer context",
    "memory": "Memory allows a context of {tokens} tokens with this model: send less, or use a smaller model",
    "settings": "Up to {tokens} tokens fit here: start `fireside serve --context {tokens}`, or change Settings, "
    "Performance, Context",
}


def _too_long(error: request_errors.PromptTooLong) -> str:
    # Worded as Anthropic's API does: agents look for these words and numbers to shorten a conversation.
    words = f"prompt is too long: {error.prompt_tokens} tokens > {error.context_tokens} maximum"
    if isinstance(error, request_errors.ContextLimited):
        words += f". {_ROOM[error.limit].format(tokens=error.largest_tokens)}"
    return words
