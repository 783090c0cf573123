"""Messages of the Model Context Protocol: JSON-RPC 2.0, and what a tool's result becomes for the model.

Written after the specification, modelcontextprotocol.io, versions 2024-11-05 to 2025-06-18. The official SDK was
weighed: 35 MB more in the packages, and 56 MB and 0.7 s of processor time for its import.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app import APP_ID, APP_NAME, __version__
from app.core.lazy_dataclasses import dataclass

PROTOCOL = "2025-06-18"
KNOWN_PROTOCOLS = (PROTOCOL, "2025-03-26", "2024-11-05")
SESSION_HEADER, VERSION_HEADER = "mcp-session-id", "mcp-protocol-version"
"""Of messages that are posted."""
NOT_JSON, NO_REQUEST, NO_SUCH_METHOD, WRONG_PARAMETERS, FAILED_INSIDE = -32700, -32600, -32601, -32602, -32603
OWN_INFO = {"name": APP_ID, "title": APP_NAME, "version": __version__}
MOST_RESULT_CHARACTERS = 20_000
"""Some 5,000 tokens: a longer result would push the chat out of the model's memory."""


@dataclass(frozen=True)
class ServerRefusal(Exception):
    """The server's own error to a request, in its words."""

    code: int
    words: str


def request(number: int, method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request; of a call the server may tell progress, by the request's number."""
    told = {"_meta": {"progressToken": number}} if method == "tools/call" else {}
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": {**parameters, **told}}


def notification(method: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method} | ({"params": dict(parameters)} if parameters else {})


def hello() -> dict[str, Any]:
    """Return the parameters of the first request. Nothing is offered: a server may not ask the model or the person."""
    return {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": OWN_INFO}


def result_message(number: object, result: Mapping[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "result": dict(result)}


def error_message(number: object, code: int, words: str) -> dict[str, Any]:
    """Return a refusal; `number` is None where the request could not be read so far."""
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": words}}


def answer_to(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a server's own request: a ping is answered, whatever else it wants is not offered."""
    if asked["method"] == "ping":
        return result_message(asked["id"], {})
    return error_message(asked["id"], NO_SUCH_METHOD, "Not offered.")


def outcome_of(answered: Mapping[str, Any]) -> dict[str, Any] | ServerRefusal:
    """Return the result of an answer, or why it was refused."""
    result, error = answered.get("result"), answered.get("error")
    if isinstance(result, dict):
        return result
    if isinstance(error, dict):
        code = error.get("code")
        return ServerRefusal(code if isinstance(code, int) else 0, str(error.get("message", ""))[:500])
    return ServerRefusal(0, "")


def text_of(result: Mapping[str, Any]) -> str:
    """Return the text of a tool's result, a prompt or a resource; what is no text is named. What was cut is told."""
    text = "\n\n".join(filter(None, _parts_of(result)))
    if len(text) <= MOST_RESULT_CHARACTERS:
        return text
    left_out = len(text) - MOST_RESULT_CHARACTERS
    return f"{text[:MOST_RESULT_CHARACTERS]}\n[{left_out:,} more characters not shown]"


def _parts_of(result: Mapping[str, Any]) -> Iterator[str]:
    parts = result.get("content")
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, Mapping):
            yield _part_text(part)
    structured = result.get("structuredContent")
    if not parts and structured is not None:
        yield str(structured)


def _part_text(part: Mapping[str, Any]) -> str:
    if (kind := part.get("type")) == "text":
        return str(part.get("text", ""))
    if kind == "resource_link":
        return f"[{part.get('name', '')}: {part.get('uri', '')}]"
    resource = part.get("resource")
    if kind == "resource" and isinstance(resource, Mapping):
        return resource_text(resource)
    return f"[{kind}, {part.get('mimeType', 'not text')}, not shown]"


def resource_text(resource: Mapping[str, Any]) -> str:
    text = resource.get("text")
    return text if isinstance(text, str) else f"[{resource.get('uri', '')}: not text, not shown]"
