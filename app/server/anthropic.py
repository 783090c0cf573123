"""The Anthropic contract: messages, whole or streamed, and how many tokens they take."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from app.core.events import Finished, FunctionCall, Media, Message, Role, TextDelta
from app.core.visible import clean_text
from app.features.serving.generation_request import AnswerEvent, GenerationRequest
from app.features.tool_calls import CallArguments, CallBegins, ToolFunction
from app.server import request_fields
from app.server.api_answers import ApiAnswer, event_line
from app.server.json_body import ONLY_DATA, BadRequest, JsonBody, RequestPictures
from app.server.openai import MOST_TOKENS, NO_SOUND, effort_of, is_begun, schema_text, without_empty_end
from app.server.request_fields import refuse_unsupported

_CHANGES_EACH_TIME = re.compile(
    r"^x-anthropic-billing-header:.*$\n?|<total_tokens>[^<]*</total_tokens>\n?", re.MULTILINE
)
"""Lines of Claude Code's system prompt that change with every request (checksums, tokens left).

They are removed, since the KV cache could not be reused otherwise.
"""


class AnthropicMessages:
    """Contract of Anthropic's `/v1/messages`."""

    chats = True

    def __init__(self, body: JsonBody, *, counts: bool = False) -> None:
        """Raises BadRequest. `counts`: the request is only to be counted."""
        self.model = body.text_field("model", "")
        self.streams = body.boolean_field("stream") and not counts
        # The contract requires max_tokens of every message; only a count has nothing to limit.
        most = body.integer_field("max_tokens", 1, MOST_TOKENS)
        if most is None and not counts:
            raise BadRequest("max_tokens is missing", "max_tokens")
        refuse_unsupported(body, request_fields.ANTHROPIC)
        tools, must_call, several = _tools_of(body)
        pictures, form = RequestPictures(), body.object_field("output_config")
        messages = without_empty_end(_messages_of(body, pictures))
        # Only the effort is taken: whether to think at all has a field of its own here, `thinking`.
        effort, _ = effort_of(form, "effort") if form is not None else ("", None)
        thinks, budget = _thinking_of(body)
        if is_begun(messages) and must_call:
            raise BadRequest("messages: a partial answer can't become a tool call", "messages")
        self.answers, self._has_begun = [ApiAnswer()], False
        # The id's prefixes are Anthropic's (`msg_`, `toolu_` below): its SDKs tell objects apart by them.
        self._id, self._open, self._blocks = f"msg_{uuid.uuid4().hex[:24]}", "", -1
        self.wanted = [
            GenerationRequest(
                messages,
                pictures=pictures.files,
                max_tokens=most or -1,
                sampling=body.read_sampling(),
                logit_bias=body.logit_bias(),
                json_schema=_form_of(body, form),
                # A count is of the prompt as it would be sent, so a begun answer is counted like any other message.
                continues=is_begun(messages) and not counts,
                stop=body.stop_strings("stop_sequences"),
                tools=tools,
                must_call=must_call,
                several_calls=several,
                thinks=thinks,
                thinking_budget=budget,
                effort=effort,
            )
        ]

    def begin_stream(self) -> Iterator[bytes]:
        """Yield nothing: a message starts with its prompt's token count, which isn't known yet."""
        return iter(())

    def write_event(self, number: int, event: AnswerEvent) -> Iterator[bytes]:
        self.answers[number].add_event(event)
        # The first event has the prompt's tokens, even where it is only progress of reading.
        if not self._has_begun:
            self._has_begun = True
            usage = {"input_tokens": self.answers[number].prompt_tokens, "output_tokens": 0}
            yield self._stream_event("message_start", message=self._message_body([], None) | {"usage": usage})
        match event:
            case TextDelta(thinking=True):
                # A signature proves to Anthropic that the thinking is its own; here nothing is proved, but clients read
                # the field.
                yield from self._in_block("thinking", {"type": "thinking", "thinking": "", "signature": ""})
                yield self._delta_event({"type": "thinking_delta", "thinking": event.text})
            case TextDelta():
                yield from self._in_block("text", {"type": "text", "text": ""})
                yield self._delta_event({"type": "text_delta", "text": event.text})
            case CallBegins():
                call = self.answers[number].calls[-1]
                block = {"type": "tool_use", "id": _id_of(call.id), "name": call.name, "input": {}}
                yield from self._in_block(call.id, block)
            case CallArguments():
                yield self._delta_event({"type": "input_json_delta", "partial_json": event.piece})
            case Finished():
                yield from self._close_block()

    def end_stream(self) -> Iterator[bytes]:
        delta = {"stop_reason": self._stop_reason(), "stop_sequence": self._stop}
        yield self._stream_event("message_delta", delta=delta, usage=self._usage_body())
        yield self._stream_event("message_stop")

    def error_event(self, error: dict[str, Any]) -> bytes:
        return event_line(error, "error")

    def complete_body(self) -> dict[str, Any]:
        answer, content = self.answers[0], []
        if answer.thinking:
            content.append({"type": "thinking", "thinking": answer.thinking, "signature": ""})
        # Clients expect content: an answer without a word still has one, empty, text block.
        if answer.text or not answer.calls:
            content.append({"type": "text", "text": answer.text})
        content += [
            {"type": "tool_use", "id": _id_of(call.id), "name": call.name, "input": call.values}
            for call in answer.calls
        ]
        return self._message_body(content, self._stop_reason()) | {"usage": self._usage_body()}

    def _message_body(self, content: list[dict[str, Any]], reason: str | None) -> dict[str, Any]:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": self._stop if reason else None,
        }

    @property
    def _stop(self) -> str | None:
        stats = self.answers[0].stats
        return (stats.stop or None) if stats is not None else None

    def _stop_reason(self) -> str:
        answer = self.answers[0]
        ended = "stop_sequence" if self._stop else "end_turn"
        # An answer that was cut is told so even if it has calls: the last of them may be half.
        return "max_tokens" if answer.is_cut else "tool_use" if answer.calls else ended

    def _usage_body(self) -> dict[str, int]:
        stats = self.answers[0].stats
        if stats is None:
            return {"input_tokens": 0, "output_tokens": 0}
        return {
            # Anthropic counts what was read from the cache apart, OpenAI as a part of the prompt.
            "input_tokens": stats.prompt_tokens - stats.reused_tokens,
            "cache_read_input_tokens": stats.reused_tokens,
            "cache_creation_input_tokens": 0,
            "output_tokens": stats.generated_tokens,
        }

    def _in_block(self, kind: str, block: dict[str, Any]) -> Iterator[bytes]:
        """Open a block if none of this kind is open, closing the previous one: at most one is open at a time."""
        # Each call has its own id as its kind, so that two calls in a row get two blocks.
        if kind == self._open:
            return
        yield from self._close_block()
        self._open, self._blocks = kind, self._blocks + 1
        yield self._stream_event("content_block_start", index=self._blocks, content_block=block)

    def _close_block(self) -> Iterator[bytes]:
        if self._open:
            self._open = ""
            yield self._stream_event("content_block_stop", index=self._blocks)

    def _delta_event(self, delta: dict[str, Any]) -> bytes:
        return self._stream_event("content_block_delta", index=self._blocks, delta=delta)

    @staticmethod
    def _stream_event(kind: str, **body: Any) -> bytes:
        return event_line({"type": kind} | body, kind)


def _id_of(call_id: str) -> str:
    # Our ids begin as OpenAI's do; agents of Anthropic's contract expect its own prefix.
    return call_id.replace("call_", "toolu_", 1)


def _form_of(body: JsonBody, config: JsonBody | None) -> str:
    """Return the JSON schema that an answer is to follow; `output_format` is its name in the contract's beta."""
    wished = config.object_field("format") if config is not None else None
    field = "output_config.format" if wished is not None else "output_format"
    wished = wished or body.object_field("output_format")
    return "" if wished is None else schema_text(wished, wished, field)


def _thinking_of(body: JsonBody) -> tuple[bool | None, int]:
    """Return whether to think (None: the model's choice) and the limit of thinking tokens (-1: none)."""
    thinking = body.object_field("thinking")
    if thinking is None:
        return None, -1
    kind = thinking.text_field("type", "")
    if kind not in ("enabled", "adaptive", "disabled"):
        raise BadRequest(f"thinking.type: unknown type {kind!r}", "thinking.type")
    budget = thinking.integer_field("budget_tokens", 0, MOST_TOKENS)
    return kind != "disabled", -1 if budget is None or kind == "disabled" else budget


def _messages_of(body: JsonBody, pictures: RequestPictures) -> tuple[Message, ...]:
    """Return the conversation, system texts in the order that later turns have, too."""
    known: dict[str, FunctionCall] = {}
    system = _system_of(body)
    found = [Message(Role.SYSTEM, system)] if system else []
    for json_body in body.object_list("messages"):
        role = json_body.text_field("role")
        if role not in ("user", "assistant", "system"):
            raise BadRequest(f"{json_body.name_of('role')}: unknown role {role!r}", json_body.name_of("role"))
        turn = _turn_messages(Role(role), json_body, known, pictures)
        at = len(found)
        # Claude Code lists its agents in a system message behind the question. A model of half a billion weights went
        # on with that list in place of an answer, so it is read before the question. In later turns it stays there: the
        # cache fits.
        if role == "system":
            turn = [
                replace(message, text=words) for message in turn if (words := _without_changing_parts(message.text))
            ]
            at -= bool(found) and found[-1].role is Role.USER
        found[at:at] = turn
    if not body.list_field("messages"):
        raise BadRequest("messages must have at least one message", "messages")
    return tuple(found)


def _system_of(body: JsonBody) -> str:
    # A plain text, or blocks: clients send blocks where they mark what is to be cached.
    value = body.raw_value("system")
    if isinstance(value, str) or value is None:
        text = body.text_field("system", "")
    else:
        text = "\n".join(block.text_field("text", "") for block in body.object_list("system"))
    return _without_changing_parts(text)


def _without_changing_parts(system: str) -> str:
    return _CHANGES_EACH_TIME.sub("", system).strip()


def _turn_messages(
    role: Role, body: JsonBody, known: dict[str, FunctionCall], pictures: RequestPictures
) -> list[Message]:
    """Return what one turn is: results of calls by themselves, then the rest of it."""
    # Results come first, whatever the order of blocks: templates render a result directly after the call it belongs to.
    if not isinstance(body.raw_value("content"), list):
        return [Message(role, body.text_field("content"))]
    results, text, media, calls = list[Message](), "", list[Media](), list[FunctionCall]()
    for block in body.object_list("content"):
        match block.text_field("type"):
            case "text":
                text = "\n".join(filter(None, (text, block.text_field("text"))))
            case "image":
                media.append(_read_picture(block, len(text), pictures))
            case "tool_use":
                # A client's arguments may have characters that spell a control token; they are cleaned like all texts
                # of a request.
                arguments = clean_text(json.dumps(block.raw_value("input") or {}, ensure_ascii=False))
                calls.append(FunctionCall(block.text_field("id", ""), block.text_field("name"), arguments))
            case "tool_result":
                results.append(_tool_result(block, known, pictures))
            case "thinking" | "redacted_thinking":
                pass  # a model is not shown its own thinking again
            case _:
                raise BadRequest(f"{block.name_of('type')}: {NO_SOUND}", block.name_of("type"))
    known |= {call.id: call for call in calls}
    # A turn of results alone has no message of its own: an empty one would read as a question about nothing.
    if text or media or calls or not results:
        results.append(Message(role, text, tuple(media), tuple(calls)))
    return results


def _tool_result(block: JsonBody, known: dict[str, FunctionCall], pictures: RequestPictures) -> Message:
    # An empty result is one, too: many commands print nothing when they succeed.
    id_ = block.text_field("tool_use_id", "")
    whole = _turn_messages(Role.USER, block, {}, pictures)[-1] if block.has_field("content") else Message(Role.USER, "")
    # Templates have no place for a failure, so the model is told in the words of the result.
    text = f"It failed:\n{whole.text}" if block.boolean_field("is_error") else whole.text
    return Message(Role.USER, text, whole.media, result_of=known.get(id_, FunctionCall(id_, "")))


def _read_picture(block: JsonBody, at: int, pictures: RequestPictures) -> Media:
    source = block.object_field("source")
    name = block.name_of("source")
    if source is None or source.text_field("type", "") != "base64":
        raise BadRequest(f"{name}: {ONLY_DATA}", name)
    return pictures.from_base64(source.text_field("data"), source.name_of("data"), at)


def _tools_of(body: JsonBody) -> tuple[tuple[ToolFunction, ...], bool, bool]:
    """Return the functions that may be called, whether one has to be, and whether there may be several calls."""
    tools = tuple(
        ToolFunction(json_body.text_field("name"), json_body.text_field("description", ""), _schema_of(json_body))
        for json_body in body.object_list("tools")
        if json_body.has_field("input_schema")  # what runs at Anthropic, such as its web search, is not here
    )
    choice = body.object_field("tool_choice")
    if choice is None:
        return tools, False, True
    # OpenAI's `parallel_tool_calls` the other way round.
    several, kind = not choice.boolean_field("disable_parallel_tool_use"), choice.text_field("type")
    if kind == "tool":
        tools = tuple(tool for tool in tools if tool.name == choice.text_field("name"))
        if not tools:
            raise BadRequest("tool_choice names a function that tools doesn't have", "tool_choice")
    # A request with a forced call but no tools left cannot be held to one: it is answered in words.
    return (() if kind == "none" else tools), kind in ("any", "tool") and bool(tools), several


def _schema_of(tool: JsonBody) -> dict[str, Any] | bool:
    schema = tool.raw_value("input_schema")
    # A schema may be `true` as well: any arguments.
    if not isinstance(schema, dict | bool):
        raise BadRequest(f"{tool.name_of('input_schema')} must be a schema", tool.name_of("input_schema"))
    return schema
