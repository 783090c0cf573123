"""The OpenAI contract: chat completions and completions, whole or streamed, and embeddings."""

from __future__ import annotations

import array
import base64
import json
import math
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

from app.core.events import Finished, FunctionCall, Media, Message, Role, TextDelta, TokenChosen, TokenSeen
from app.engine.contract import Embeddings
from app.features.serving import AnswerEvent, Wanted
from app.features.tool_calls import CallArguments, CallBegins, Tool
from app.server.answers import Answer, event_line
from app.server.body import MOST_ALTERNATIVES, MOST_ANSWERS, BadRequest, Body, Pictures

MOST_TOKENS = 10_000_000
NO_SOUND = "only text and pictures are taken: leave sound and files out"
_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.USER,
    "function": Role.USER,
}


def messages_of(body: Body, pictures: Pictures) -> tuple[Message, ...]:
    """The conversation, with calls and their results."""
    known: dict[str, FunctionCall] = {}
    found = [_message(each, known, pictures) for each in body.objects("messages")]
    if not found:
        raise BadRequest("messages must have at least one message", "messages")
    return tuple(found)


def role_of(body: Body) -> Role:
    """Who speaks, of the three that models know."""
    role = body.text("role")
    if role not in _ROLES:
        raise BadRequest(f"{body.name_of('role')}: there is no role {role!r}", body.name_of("role"))
    return _ROLES[role]


def _message(body: Body, known: dict[str, FunctionCall], pictures: Pictures) -> Message:
    role, speaker = body.text("role"), role_of(body)
    text, media = content_of(body, "content", pictures)
    if role == "assistant":
        calls = tuple(_call(call) for call in body.objects("tool_calls"))
        known |= {call.id: call for call in calls}
        return Message(speaker, text, media, calls)
    if role in ("tool", "function"):
        id_ = body.text("tool_call_id", "")
        return Message(speaker, text, media, result_of=known.get(id_, FunctionCall(id_, body.text("name", ""))))
    return Message(speaker, text, media)


def content_of(body: Body, field: str, pictures: Pictures) -> tuple[str, tuple[Media, ...]]:
    """A text, or the texts of its parts with the pictures before their places; nothing for null."""
    value = body.raw(field)
    if value is None or isinstance(value, str):
        return body.text(field, ""), ()
    text, media = "", list[Media]()
    for part in body.objects(field):
        kind = part.text("type", "text")
        if kind in ("image_url", "input_image"):
            holder = part.raw("image_url")
            address = holder.get("url") if isinstance(holder, dict) else holder
            media.append(pictures.from_address(address, part.name_of("image_url"), len(text)))
            continue
        if kind not in ("text", "input_text", "output_text", "refusal"):
            raise BadRequest(f"{part.name_of('type')}: {NO_SOUND}", part.name_of("type"))
        words = part.text("text" if kind != "refusal" else "refusal")
        text = f"{text}\n{words}" if text else words
    return text, tuple(media)


def _call(body: Body) -> FunctionCall:
    function = body.inner("function")
    if function is None:
        raise BadRequest(f"{body.name_of('function')} is missing", body.name_of("function"))
    return FunctionCall(body.text("id", ""), function.text("name"), function.text("arguments", "{}") or "{}")


def tools_of(body: Body) -> tuple[tuple[Tool, ...], bool]:
    """The functions that may be called, and whether one has to be."""
    tools = [_tool(each) for each in body.objects("tools") if each.text("type", "function") == "function"]
    choice = body.raw("tool_choice")
    if isinstance(choice, str):
        if choice not in ("none", "auto", "required"):
            raise BadRequest(f"tool_choice: there is no choice {choice!r}", "tool_choice")
        return ((), False) if choice == "none" else (tuple(tools), choice == "required" and bool(tools))
    inner = body.inner("tool_choice")
    if inner is None:
        return tuple(tools), False
    if inner.text("type", "function") == "allowed_tools":  # some of them, in either contract's form
        allowed = inner.inner("allowed_tools") or inner
        functions = (each for each in allowed.objects("tools") if each.text("type", "function") == "function")
        named, must_call = {_name_of(each) for each in functions}, allowed.text("mode") == "required"
    else:
        named, must_call = {_name_of(inner)}, True
    for missing in named - {tool.name for tool in tools}:
        raise BadRequest(f"tool_choice: there is no function {missing!r} among the tools", "tool_choice")
    chosen = tuple(tool for tool in tools if tool.name in named)
    return chosen, must_call and bool(chosen)


def _name_of(body: Body) -> str:
    return (body.inner("function") or body).text("name")


def _tool(body: Body) -> Tool:
    function = body.inner("function") or body
    parameters = function.raw("parameters")
    if parameters is not None and not isinstance(parameters, dict | bool):
        raise BadRequest(f"{function.name_of('parameters')} must be a schema", function.name_of("parameters"))
    return Tool(function.text("name"), function.text("description", ""), {} if parameters is None else parameters)


def _schema_of(body: Body) -> str:
    wished = body.inner("response_format")
    if wished is None:
        return ""
    return schema_text(wished, wished.inner("json_schema"), "response_format")


def schema_text(wished: Body, holder: Body | None, field: str) -> str:
    """The JSON schema that an answer is to follow, as text; "" for any text. `holder` has it in its `schema`."""
    kind = wished.text("type")
    if kind == "text":
        return ""
    schema = {"type": "object"} if kind == "json_object" or holder is None else holder.raw("schema")
    if kind not in ("json_object", "json_schema") or not isinstance(schema, dict | bool):
        raise BadRequest(f"{field} must be text, json_object, or json_schema with its schema", field)
    return json.dumps(schema if isinstance(schema, dict) else {"type": "object"})


def most_tokens(body: Body, *fields: str) -> int:
    """The first of the fields that is there; -1 for no limit."""
    found = [value for field in fields if (value := body.whole(field, -1, MOST_TOKENS)) is not None]
    return found[0] if found and found[0] > 0 else -1


class _Completion:
    """What both kinds share: one request, its answers, and their usage."""

    def __init__(self, body: Body, prefix: str) -> None:
        self.model = body.text("model", "")
        self.streams = body.flag("stream")
        options = body.inner("stream_options")
        self._tells_usage = options is not None and options.flag("include_usage")
        self._id, self._created = f"{prefix}-{uuid.uuid4().hex}", int(time.time())
        self.wanted: list[Wanted] = []
        self.answers: list[Answer] = []

    def _set(self, wanted: list[Wanted]) -> None:
        self.wanted = wanted
        self.answers = [Answer() for one in wanted for _ in range(one.count)]

    def _body(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self.model,
            "choices": choices,
        } | more

    def _usage(self) -> dict[str, Any]:
        stats = [answer.stats for answer in self.answers if answer.stats is not None]
        prompt = sum(one.prompt_tokens for one in stats[:1])
        written = sum(one.generated_tokens for one in stats)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
            "prompt_tokens_details": {"cached_tokens": sum(one.reused_tokens for one in stats[:1])},
            "completion_tokens_details": {"reasoning_tokens": sum(one.thinking_tokens for one in stats)},
        }

    def begin(self) -> Iterator[bytes]:
        return iter(())

    def end(self) -> Iterator[bytes]:
        if self._tells_usage:
            yield event_line(self._body(self._kind, [], usage=self._usage()))
        yield b"data: [DONE]\n\n"

    def broken(self, error: dict[str, Any]) -> bytes:
        return event_line(error)

    _kind = "text_completion"


class ChatCompletion(_Completion):
    """`/v1/chat/completions`."""

    chats = True
    _kind = "chat.completion.chunk"

    def __init__(self, body: Body) -> None:
        """Raises BadRequest."""
        super().__init__(body, "chatcmpl")
        tools, must_call = tools_of(body)
        self._tells_tokens = body.flag("logprobs")
        most = body.whole("top_logprobs", 0, MOST_ALTERNATIVES) or 0
        thinking, pictures = body.inner("chat_template_kwargs"), Pictures()
        self._set(
            [
                Wanted(
                    messages_of(body, pictures),
                    pictures=pictures.files,
                    count=body.whole("n", 1, MOST_ANSWERS) or 1,
                    max_tokens=most_tokens(body, "max_completion_tokens", "max_tokens"),
                    sampling=body.sampling(),
                    stop=body.stops("stop"),
                    json_schema=_schema_of(body),
                    tools=tools,
                    must_call=must_call,
                    several_calls=body.flag("parallel_tool_calls", default=True),
                    thinks=None if thinking is None else thinking.flag("enable_thinking", default=True),
                    alternatives=most if self._tells_tokens else -1,
                )
            ]
        )

    def begin(self) -> Iterator[bytes]:
        for number in range(len(self.answers)):
            yield self._piece(number, {"role": "assistant", "content": ""})

    def take(self, number: int, event: AnswerEvent) -> Iterator[bytes]:
        answer = self.answers[number]
        answer.take(event)
        match event:
            case TextDelta(thinking=True):
                yield self._piece(number, {"reasoning_content": event.text})
            case TextDelta():
                yield self._piece(number, {"content": event.text}, answer)
            case CallBegins():
                call = answer.calls[event.number]
                function = {"name": call.name, "arguments": ""}
                told = {"index": event.number, "id": call.id, "type": "function", "function": function}
                yield self._piece(number, {"tool_calls": [told]})
            case CallArguments():
                told = {"index": event.number, "function": {"arguments": event.piece}}
                yield self._piece(number, {"tool_calls": [told]})
            case Finished():
                yield self._piece(number, {}, answer, reason=self._reason(answer))

    def whole(self) -> dict[str, Any]:
        choices = [self._choice(number, answer) for number, answer in enumerate(self.answers)]
        return self._body("chat.completion", choices, usage=self._usage())

    def _choice(self, number: int, answer: Answer) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": answer.text or (None if answer.calls else "")}
        if answer.thinking:
            message["reasoning_content"] = answer.thinking
        if answer.calls:
            message["tool_calls"] = [
                {"id": one.id, "type": "function", "function": {"name": one.name, "arguments": one.arguments}}
                for one in answer.calls
            ]
        told = {"content": [_token(token) for token in answer.tokens]} if self._tells_tokens else None
        return {"index": number, "message": message, "logprobs": told, "finish_reason": self._reason(answer)}

    def _piece(
        self, number: int, delta: dict[str, Any], answer: Answer | None = None, *, reason: str | None = None
    ) -> bytes:
        told = None
        if self._tells_tokens and answer is not None:
            told = {"content": [_token(token) for token in answer.tokens]}
            answer.tokens.clear()
        choice = {"index": number, "delta": delta, "logprobs": told, "finish_reason": reason}
        return event_line(self._body(self._kind, [choice]))

    @staticmethod
    def _reason(answer: Answer) -> str:
        return "length" if answer.is_cut else "tool_calls" if answer.calls else "stop"


class Completion(_Completion):
    """`/v1/completions`: a text is gone on with, or a middle filled in (`suffix`)."""

    chats = False

    def __init__(self, body: Body) -> None:
        """Raises BadRequest."""
        super().__init__(body, "cmpl")
        prompt = body.raw("prompt")
        texts = [body.text("prompt")] if isinstance(prompt, str) else [*body.many("prompt")]
        if not texts or not all(isinstance(text, str) for text in texts) or len(texts) > MOST_ANSWERS:
            raise BadRequest(f"prompt must be a text, or at most {MOST_ANSWERS} texts", "prompt")
        self._most = body.whole("logprobs", 0, MOST_ALTERNATIVES)
        self._echo = body.flag("echo")
        longest = most_tokens(body, "max_tokens", "n_predict")
        self._set(
            [
                Wanted(
                    text=text,
                    suffix=body.text("suffix", ""),
                    count=body.whole("n", 1, MOST_ANSWERS) or 1,
                    max_tokens=longest if longest > 0 else 16,  # as the contract has it
                    sampling=body.sampling(),
                    stop=body.stops("stop"),
                    alternatives=-1 if self._most is None else self._most,
                )
                for text in texts
            ]
        )

    def begin(self) -> Iterator[bytes]:
        if self._echo:
            for number in range(len(self.answers)):
                yield self._piece(number, self._prompt(number))

    def take(self, number: int, event: AnswerEvent) -> Iterator[bytes]:
        answer = self.answers[number]
        answer.take(event)
        if isinstance(event, TextDelta):
            yield self._piece(number, event.text)
        elif isinstance(event, Finished):
            yield self._piece(number, "", reason="length" if answer.is_cut else "stop")
        elif isinstance(event, TokenChosen):
            return

    def whole(self) -> dict[str, Any]:
        choices = [
            {
                "index": number,
                "text": (self._prompt(number) if self._echo else "") + answer.text,
                "logprobs": None if self._most is None else _tokens(answer.tokens),
                "finish_reason": "length" if answer.is_cut else "stop",
            }
            for number, answer in enumerate(self.answers)
        ]
        return self._body(self._kind, choices, usage=self._usage())

    def _prompt(self, number: int) -> str:
        return self.wanted[number // self.wanted[0].count].text

    def _piece(self, number: int, text: str, *, reason: str | None = None) -> bytes:
        told, answer = None, self.answers[number]
        if self._most is not None:
            told = _tokens(answer.tokens)
            answer.tokens.clear()
        choice = {"index": number, "text": text, "logprobs": told, "finish_reason": reason}
        return event_line(self._body(self._kind, [choice]))


def _token(token: TokenSeen) -> dict[str, Any]:
    others = [_told(guess.data, guess.probability) for guess in token.alternatives]
    text = token.data.decode("utf-8", "replace")
    return {"token": text, "logprob": token.log_probability, "bytes": list(token.data), "top_logprobs": others}


def _told(data: bytes, probability: float) -> dict[str, Any]:
    return {"token": data.decode("utf-8", "replace"), "logprob": _log(probability), "bytes": list(data)}


def _log(probability: float) -> float:
    return math.log(probability) if probability > 0 else -9999.0  # JSON has no infinity; the contract says so


def _tokens(tokens: list[TokenSeen]) -> dict[str, Any]:
    return {
        "tokens": [token.data.decode("utf-8", "replace") for token in tokens],
        "token_logprobs": [token.log_probability for token in tokens],
        "top_logprobs": [
            {guess.data.decode("utf-8", "replace"): _log(guess.probability) for guess in token.alternatives}
            for token in tokens
        ],
    }


# Texts in, a vector for each of them out, as numbers or as base64.


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
