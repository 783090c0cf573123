"""OpenAI's second contract, responses: items go in and out, and nothing is kept between two requests."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from app.core.events import Finished, FunctionCall, Message, Role, TextDelta
from app.core.lazy_dataclasses import dataclass, replace
from app.core.visible import clean_text
from app.features.serving.generation_request import AnswerEvent, GenerationRequest
from app.features.tool_calls import CallArguments, CallBegins
from app.server import request_fields
from app.server.api_answers import ApiAnswer, ApiCall, event_line
from app.server.json_body import BadRequest, JsonBody, RequestPictures
from app.server.openai import (
    CUSTOM,
    HOSTED,
    content_of,
    effort_of,
    most_tokens,
    namespaced_name,
    offered_tools,
    role_of,
    schema_text,
)
from app.server.request_fields import refuse_unsupported


@dataclass
class _OutputItem:
    """An item of a response; it is complete before the next begins."""

    kind: str
    place: int
    id: str
    call: int = -1


class Responses:
    """Contract of OpenAI's `/v1/responses`."""

    chats = True

    def __init__(self, body: JsonBody) -> None:
        """Raises BadRequest."""
        refuse_unsupported(body, request_fields.RESPONSES)
        self.model, self.streams = body.text_field("model", ""), body.boolean_field("stream")
        offered, text, pictures = offered_tools(body, takes_custom=True), body.object_field("text"), RequestPictures()
        # The model sees these as functions; the answer has to call them by their own kind again.
        self._custom_tools = {
            tool.text_field("name") for tool in body.object_list("tools") if tool.text_field("type", "") == CUSTOM
        }
        if text is not None and text.raw_value("verbosity") not in (None, "medium"):
            raise BadRequest("text.verbosity: state the length you want in the instructions", "text.verbosity")
        reasoning = body.object_field("reasoning")
        effort, thinks = effort_of(reasoning, "effort") if reasoning is not None else ("", None)
        self._client_names = _names_in(body)
        self._echo = {
            # The contract repeats a request's fields in each response, cleaned like its other texts.
            name: body.cleaned_value(name) if body.has_field(name) else default
            for name, default in _ECHOED.items()
        }
        self._echo["tools"] = [
            # A tool that was ignored is not said to have been accepted.
            tool
            for tool in body.cleaned_value("tools") or ()
            if not HOSTED.match(str(tool.get("type", "")))
        ]
        self.answers = [ApiAnswer()]
        self._id, self._created = f"resp_{uuid.uuid4().hex}", int(time.time())
        self._sequence, self._open = 0, list[_OutputItem]()
        self._done: list[dict[str, Any]] = []
        self.wanted = [
            GenerationRequest(
                _messages_of(body, pictures),
                pictures=pictures.files,
                max_tokens=most_tokens(body, "max_output_tokens"),
                sampling=body.read_sampling(),
                logit_bias=body.logit_bias(),
                json_schema="" if text is None else _schema_of(text),
                tools=offered.tools,
                must_call=offered.must_call,
                several_calls=offered.several,
                thinks=thinks,
                effort=effort,
            )
        ]

    def begin_stream(self) -> Iterator[bytes]:
        # Both events with the same body: SDKs wait for either.
        yield self._stream_event("response.created", response=self._response_body("in_progress"))
        yield self._stream_event("response.in_progress", response=self._response_body("in_progress"))

    def write_event(self, number: int, event: AnswerEvent) -> Iterator[bytes]:
        answer = self.answers[number]
        answer.add_event(event)
        match event:
            case TextDelta(thinking=True):
                yield from self._in_item("reasoning")
                yield self._stream_event(
                    "response.reasoning_text.delta", **self._item_place(), content_index=0, delta=event.text
                )
            case TextDelta():
                yield from self._in_item("message")
                yield self._stream_event(
                    "response.output_text.delta", **self._item_place(), content_index=0, delta=event.text, logprobs=[]
                )
            case CallBegins():
                # Two calls in a row are two items, even of the same function.
                yield from self._close_item()
                yield from self._in_item(self._kind_of(event.name), event.number)
            # The input's text is inside a JSON argument; its pieces would be pieces of JSON.
            case CallArguments() if self._open[0].kind == CUSTOM_CALL:
                pass  # what it says is known when it is whole
            case CallArguments():
                yield self._stream_event(
                    "response.function_call_arguments.delta", **self._item_place(), delta=event.piece
                )
            case Finished():
                yield from self._close_item()

    def end_stream(self) -> Iterator[bytes]:
        status = self._response_status()
        yield self._stream_event(f"response.{status}", response=self._response_body(status))

    def error_event(self, error: dict[str, Any]) -> bytes:
        fields = {name: error["error"][name] for name in ("code", "message")}
        return self._stream_event("response.failed", response=self._response_body("failed") | {"error": fields})

    def complete_body(self) -> dict[str, Any]:
        answer = self.answers[0]
        kinds = ["reasoning"] * bool(answer.thinking) + ["message"] * bool(answer.text or not answer.calls)
        # The same order in which a stream has them.
        items = [_OutputItem(kind, place, _new_id(kind)) for place, kind in enumerate(kinds)]
        for number, call in enumerate(answer.calls):
            kind = self._kind_of(call.name)
            items.append(_OutputItem(kind, len(items), _new_id(kind), number))
        self._done = [self._item_body(item) for item in items]
        return self._response_body(self._response_status())

    def _response_status(self) -> str:
        return "incomplete" if self._is_incomplete else "completed"

    @property
    def _is_incomplete(self) -> bool:
        """True if the answer was cut at a limit, unless its last call is already complete."""
        answer = self.answers[0]
        # A whole last call can be carried out, though the limit came right behind it.
        return answer.is_cut and not (answer.calls and answer.calls[-1].is_whole)

    def _response_body(self, status: str) -> dict[str, Any]:
        stats = self.answers[0].stats
        usage = None
        if stats is not None:
            usage = {
                "input_tokens": stats.prompt_tokens,
                "input_tokens_details": {"cached_tokens": stats.reused_tokens},
                "output_tokens": stats.generated_tokens,
                "output_tokens_details": {"reasoning_tokens": stats.thinking_tokens},
                "total_tokens": stats.prompt_tokens + stats.generated_tokens,
            }
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "model": self.model,
            "output": self._done,
            "usage": usage,
            "error": None,
            # The contract has no other reason that fits; a full context is told as this, too.
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "store": False,
            "truncation": "disabled",
            "previous_response_id": None,
        } | self._echo

    def _in_item(self, kind: str, call: int = -1) -> Iterator[bytes]:
        if self._open and (self._open[0].kind, self._open[0].call) == (kind, call):
            return
        yield from self._close_item()
        item = _OutputItem(kind, len(self._done), _new_id(kind), call)
        self._open = [item]
        yield self._stream_event(
            "response.output_item.added", output_index=item.place, item=self._item_body(item, is_empty=True)
        )
        if kind == "message":
            yield self._stream_event(
                "response.content_part.added", **self._item_place(), content_index=0, part=_text_part("")
            )

    def _close_item(self) -> Iterator[bytes]:
        if not self._open:
            return
        item, answer = self._open[0], self.answers[0]
        if item.kind == "message":
            place = self._item_place()
            yield self._stream_event(
                "response.output_text.done", **place, content_index=0, text=answer.text, logprobs=[]
            )
            yield self._stream_event(
                "response.content_part.done", **place, content_index=0, part=_text_part(answer.text)
            )
        elif item.kind == CUSTOM_CALL:
            text = _input_of(answer.calls[item.call])
            # In one piece, since it is known only now.
            yield self._stream_event("response.custom_tool_call_input.delta", **self._item_place(), delta=text)
            yield self._stream_event("response.custom_tool_call_input.done", **self._item_place(), input=text)
        elif item.kind == "function_call":
            call = answer.calls[item.call]
            yield self._stream_event(
                "response.function_call_arguments.done",
                **self._item_place(),
                name=self._function_name(call.name)["name"],
                arguments=call.arguments,
            )
        body = self._item_body(item)
        self._open = []
        self._done.append(body)
        yield self._stream_event("response.output_item.done", output_index=item.place, item=body)

    def _item_body(self, item: _OutputItem, *, is_empty: bool = False) -> dict[str, Any]:
        answer, status = self.answers[0], "in_progress" if is_empty else "completed"
        is_last = item.call < 0 or item.call == len(answer.calls) - 1
        # Only the last item was cut; those before it are whole.
        if not is_empty and is_last and answer.stats is not None and self._is_incomplete:
            status = "incomplete"
        more: dict[str, Any]
        if item.kind == "function_call":
            call = answer.calls[item.call]
            more = {"call_id": call.id, "arguments": "" if is_empty else call.arguments} | self._function_name(
                call.name
            )
        elif item.kind == CUSTOM_CALL:
            call = answer.calls[item.call]
            more = {"call_id": call.id, "name": call.name, "input": "" if is_empty else _input_of(call)}
        elif item.kind == "message":
            more = {"role": "assistant", "content": [] if is_empty else [_text_part(answer.text)]}
        else:
            thought = [] if is_empty else [{"type": "reasoning_text", "text": answer.thinking}]
            # A summary would be written by OpenAI's; here the thinking itself is sent.
            more = {"summary": [], "content": thought}
        return {"id": item.id, "type": item.kind, "status": status} | more

    def _kind_of(self, name: str) -> str:
        return CUSTOM_CALL if name in self._custom_tools else "function_call"

    def _function_name(self, name: str) -> dict[str, str]:
        """Return the name of a function as the client has it, with its namespace where it has one."""
        # The model wrote the joined name; the client knows the function by namespace and name.
        namespace, own = self._client_names.get(name, ("", name))
        return {"name": own, "namespace": namespace} if namespace else {"name": own}

    def _item_place(self) -> dict[str, Any]:
        item = self._open[0]
        return {"item_id": item.id, "output_index": item.place}

    def _stream_event(self, kind: str, **body: Any) -> bytes:
        self._sequence += 1
        return event_line({"type": kind, "sequence_number": self._sequence - 1} | body, kind)


_ECHOED: dict[str, Any] = {
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": None,
    "top_p": None,
    "tool_choice": "auto",
    "max_output_tokens": None,
    "reasoning": {"effort": None, "summary": None},
    "text": {"format": {"type": "text"}},
}
"""Request fields repeated in the response, with their defaults."""


def _names_in(body: JsonBody) -> dict[str, tuple[str, str]]:
    """Map namespaced function names, as the model sees them, to (namespace, name)."""
    spaces = [json_body for json_body in body.object_list("tools") if json_body.text_field("type", "") == "namespace"]
    pairs = [
        (space.text_field("name"), (tool.object_field("function") or tool).text_field("name", ""))
        for space in spaces
        for tool in space.object_list("tools")
    ]
    return {namespaced_name(space, name): (space, name) for space, name in pairs}


CUSTOM_CALL = "custom_tool_call"


def _input_of(call: ApiCall) -> str:
    """Return the input of a free-text tool."""
    found = call.values
    return str(found.get("input", "")) if isinstance(found, dict) else ""


def _new_id(kind: str) -> str:
    prefix = {"message": "msg", "function_call": "fc", CUSTOM_CALL: "ctc", "reasoning": "rs"}[kind]
    return f"{prefix}_{uuid.uuid4().hex[:24]}"


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _schema_of(text: JsonBody) -> str:
    wished = text.object_field("format")
    return "" if wished is None else schema_text(wished, wished, "text.format")


def _messages_of(body: JsonBody, pictures: RequestPictures) -> tuple[Message, ...]:
    known: dict[str, FunctionCall] = {}
    instructions = body.text_field("instructions", "")
    found = [Message(Role.SYSTEM, instructions)] if instructions else []
    if isinstance(body.raw_value("input"), str):
        found.append(Message(Role.USER, body.text_field("input")))
    else:
        for item in body.object_list("input"):
            message, last = _message_of(item, known, pictures), found[-1] if found else None
            # Each call is an item of its own here, but templates want all calls of a turn in one message.
            if message is not None and message.calls and last is not None and last.role is Role.ASSISTANT:
                found[-1] = replace(last, calls=(*last.calls, *message.calls))
            elif message is not None:
                found.append(message)
    # Instructions alone ask nothing.
    if not any(message.role is Role.USER for message in found):
        raise BadRequest("input has nothing to answer", "input")
    return tuple(found)


def _message_of(item: JsonBody, known: dict[str, FunctionCall], pictures: RequestPictures) -> Message | None:
    match item.text_field("type", "message"):
        case "message":
            return Message(role_of(item), *content_of(item, "content", pictures))
        case "function_call":
            name = namespaced_name(item.text_field("namespace", ""), item.text_field("name"))
            call = FunctionCall(item.text_field("call_id", ""), name, item.text_field("arguments", "{}") or "{}")
            known[call.id] = call
            return Message(Role.ASSISTANT, "", calls=(call,))
        case "custom_tool_call":
            arguments = json.dumps({"input": item.text_field("input", "")}, ensure_ascii=False)
            call = FunctionCall(item.text_field("call_id", ""), item.text_field("name"), arguments)
            known[call.id] = call
            return Message(Role.ASSISTANT, "", calls=(call,))
        case "function_call_output" | "custom_tool_call_output":
            id_ = item.text_field("call_id", "")
            output = item.raw_value("output")
            # The output may be a list of parts; the model reads it as JSON.
            text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
            return Message(Role.USER, clean_text(text), result_of=known.get(id_, FunctionCall(id_, "")))
    return None  # reasoning, and calls of what runs at OpenAI
