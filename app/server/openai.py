"""The OpenAI contract: chat completions and completions, whole or streamed, and embeddings."""

from __future__ import annotations

import json
import math
import re
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from app.core.events import Finished, FunctionCall, Guess, Media, Message, Role, TextDelta, TokenSeen
from app.core.lazy_dataclasses import dataclass, replace
from app.core.visible import clean_text
from app.features.serving.generation_request import AnswerEvent, GenerationRequest, PromptSeen
from app.features.tool_calls import CallArguments, CallBegins, ToolFunction
from app.server import request_fields
from app.server.api_answers import ApiAnswer, event_line
from app.server.json_body import MOST_ALTERNATIVES, MOST_ANSWERS, BadRequest, JsonBody, RequestPictures
from app.server.request_fields import refuse_unsupported

# More than any context: a larger number is a mistake.
MOST_TOKENS = 10_000_000
BETWEEN_NAMES = "__"
"""Between a namespace and the name of a function in it."""
NO_SOUND = "only text and pictures are supported: leave out audio and files"
# Templates know three roles: instructions, the one who asks, and the model. A result is rendered by `result_of`.
_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.USER,
    "function": Role.USER,
}


def messages_of(body: JsonBody, pictures: RequestPictures) -> tuple[Message, ...]:
    """Return the conversation, with function calls and their results. Raises BadRequest."""
    # A result names only its call's id; templates also need the function's name.
    known: dict[str, FunctionCall] = {}
    found = [_read_message(json_body, known, pictures) for json_body in body.object_list("messages")]
    if not found:
        raise BadRequest("messages must have at least one message", "messages")
    return without_empty_end(found)


def without_empty_end(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Drop an empty last answer, which some clients send as a placeholder."""
    last = messages[-1]
    # A placeholder kept would be continued as a begun answer, and no template begins a turn for the model.
    is_place = last.role is Role.ASSISTANT and not (last.text or last.media or last.calls)
    return tuple(messages[:-1] if is_place and len(messages) > 1 else messages)


def is_begun(messages: Sequence[Message]) -> bool:
    """Return whether the last message is an answer to continue."""
    return bool(messages) and messages[-1].role is Role.ASSISTANT and not messages[-1].calls


def effort_of(body: JsonBody, field: str) -> tuple[str, bool | None]:
    """Return how much is to be thought, as templates call it, and False where nothing is."""
    wished = body.text_field(field, "")
    if wished not in ("", "none", "minimal", "low", "medium", "high", "xhigh", "max"):
        raise BadRequest(f"{body.name_of(field)}: unknown effort {wished!r}", body.name_of(field))
    # The templates that take an effort know low, medium and high.
    effort = {"none": "low", "minimal": "low", "xhigh": "high", "max": "high"}.get(wished, wished)
    return effort, False if wished == "none" else None


def role_of(body: JsonBody) -> Role:
    """Map a message's role to one of the three that models know. Raises BadRequest for unknown roles."""
    role = body.text_field("role")
    if role not in _ROLES:
        raise BadRequest(f"{body.name_of('role')}: unknown role {role!r}", body.name_of("role"))
    return _ROLES[role]


def _read_message(body: JsonBody, known: dict[str, FunctionCall], pictures: RequestPictures) -> Message:
    role, speaker = body.text_field("role"), role_of(body)
    text, media = content_of(body, "content", pictures)
    # The contract's form before tools: one call, without an id.
    if role == "assistant":
        calls = tuple(_read_call(call) for call in body.object_list("tool_calls"))
        if not calls and (function := body.object_field("function_call")) is not None:
            calls = (FunctionCall("", function.text_field("name"), function.text_field("arguments", "{}") or "{}"),)
        known |= {call.id: call for call in calls}
        return Message(speaker, text, media, calls)
    if role in ("tool", "function"):
        id_ = body.text_field("tool_call_id", "")
        # A client that cut its history short may send a result whose call is gone.
        return Message(speaker, text, media, result_of=known.get(id_, FunctionCall(id_, body.text_field("name", ""))))
    return Message(speaker, text, media)


def content_of(body: JsonBody, field: str, pictures: RequestPictures) -> tuple[str, tuple[Media, ...]]:
    """Return a text, or the texts of its parts with the pictures before their places; nothing for null."""
    value = body.raw_value(field)
    if value is None or isinstance(value, str):
        return body.text_field(field, ""), ()
    text, media = "", list[Media]()
    for part in body.object_list(field):
        kind = part.text_field("type", "text")
        # The place in the text says before which words the picture is shown to the model.
        if kind in ("image_url", "input_image"):
            holder = part.raw_value("image_url")
            # Chat completions have an object with the address in it, responses the address itself.
            address = holder.get("url") if isinstance(holder, dict) else holder
            media.append(pictures.from_address(address, part.name_of("image_url"), len(text)))
            continue
        if kind not in ("text", "input_text", "output_text", "refusal"):
            raise BadRequest(f"{part.name_of('type')}: {NO_SOUND}", part.name_of("type"))
        words = part.text_field("text" if kind != "refusal" else "refusal")
        text = f"{text}\n{words}" if text else words
    return text, tuple(media)


def _read_call(body: JsonBody) -> FunctionCall:
    function = body.object_field("function")
    if function is None:
        raise BadRequest(f"{body.name_of('function')} is missing", body.name_of("function"))
    return FunctionCall(
        # Some clients send an empty text for a function without arguments; templates need JSON.
        body.text_field("id", ""),
        function.text_field("name"),
        function.text_field("arguments", "{}") or "{}",
    )


@dataclass(frozen=True)
class OfferedTools:
    """The functions that may be called, whether one has to be, and whether there may be several calls."""

    tools: tuple[ToolFunction, ...]
    must_call: bool = False
    several: bool = True


def offered_tools(body: JsonBody, *, takes_custom: bool = False) -> OfferedTools:
    """Return a request's functions. If `tool_choice` names a function, at most one call is made.

    `takes_custom`: also accept tools with free-text input, as functions with one argument `input`.
    """
    choice = body.raw_value("tool_choice")
    # A list of allowed functions leaves the number of calls open, a single name asks for one call.
    is_named = isinstance(choice, dict) and choice.get("type") != "allowed_tools"
    several = body.boolean_field("parallel_tool_calls", default=True) and not is_named
    tools, must_call = tools_of(body, takes_custom=takes_custom)
    return OfferedTools(tools, must_call, several)


def legacy_functions_of(body: JsonBody) -> OfferedTools:
    """Return `functions` and `function_call`, the contract's form before tools."""
    tools = tuple(_read_tool(json_body) for json_body in body.object_list("functions"))
    choice = body.raw_value("function_call")
    if choice in (None, "auto"):
        # This form has room for one call only.
        return OfferedTools(tools, several=False)
    if choice == "none":
        return OfferedTools(())
    name = JsonBody(choice, "function_call").text_field("name")
    named = tuple(tool for tool in tools if tool.name == name)
    if not named:
        raise BadRequest(f"function_call: functions has no function {name!r}", "function_call")
    return OfferedTools(named, must_call=True, several=False)


def tools_of(body: JsonBody, *, takes_custom: bool = False) -> tuple[tuple[ToolFunction, ...], bool]:
    """Return the functions that may be called, and whether one has to be."""
    tools = [tool for json_body in body.object_list("tools") for tool in _tools_in(json_body, takes_custom)]
    choice = body.raw_value("tool_choice")
    if isinstance(choice, str):
        if choice not in ("none", "auto", "required"):
            raise BadRequest(f"tool_choice: unknown choice {choice!r}", "tool_choice")
        return ((), False) if choice == "none" else (tuple(tools), choice == "required" and bool(tools))
    inner = body.object_field("tool_choice")
    # Nothing is said about it: the model decides.
    if inner is None:
        return tuple(tools), False
    if inner.text_field("type", "function") == "allowed_tools":  # some of them, in either contract's form
        allowed = inner.object_field("allowed_tools") or inner
        functions = (
            json_body
            for json_body in allowed.object_list("tools")
            if json_body.text_field("type", "function") == "function"
        )
        named, must_call = {_name_of(function) for function in functions}, allowed.text_field("mode") == "required"
    else:
        named, must_call = {_name_of(inner)}, True
    for missing in named - {tool.name for tool in tools}:
        raise BadRequest(f"tool_choice: tools has no function {missing!r}", "tool_choice")
    chosen = tuple(tool for tool in tools if tool.name in named)
    # An unknown name was refused above, so nothing is left only where tools run elsewhere.
    return chosen, must_call and bool(chosen)


def _name_of(body: JsonBody) -> str:
    # Responses have the name in the tool itself, chat completions in an object named function.
    return namespaced_name(body.text_field("namespace", ""), (body.object_field("function") or body).text_field("name"))


# Clients offer these to every model, so they are ignored where other unknown tools are refused.
HOSTED = re.compile(r"web_search|file_search|code_interpreter|image_generation|computer|mcp|local_shell|tool_search")
"""Tools that run at OpenAI or that its models were trained on."""


def _tools_in(body: JsonBody, takes_custom: bool) -> list[ToolFunction]:
    """Return one function, or those of a namespace by `namespaced_name`; none for tools hosted elsewhere."""
    kind = body.text_field("type", "function")
    if kind == "function":
        return [_read_tool(body)]
    if kind == "namespace":
        tools = [
            _read_tool(json_body)
            for json_body in body.object_list("tools")
            if json_body.text_field("type", "function") == "function"
        ]
        # The model knows one list of functions: the namespace becomes a part of the name.
        return [replace(tool, name=namespaced_name(body.text_field("name"), tool.name)) for tool in tools]
    if kind == CUSTOM and takes_custom:
        # A tool that takes any text becomes a function with one text: calls are held to a schema.
        return [replace(_read_tool(body), parameters=_TEXT_INPUT)]
    if HOSTED.match(kind):
        return []
    raise BadRequest(f"{body.name_of('type')}: tools of type {kind!r} are not supported", body.name_of("type"))


CUSTOM = "custom"
_TEXT_INPUT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}


def namespaced_name(namespace: str, name: str) -> str:
    """Return a namespaced function's name for the model."""
    return f"{namespace}{BETWEEN_NAMES}{name}" if namespace else name


def _read_tool(body: JsonBody) -> ToolFunction:
    function = body.object_field("function") or body
    parameters = function.raw_value("parameters")
    if parameters is not None and not isinstance(parameters, dict | bool):
        raise BadRequest(f"{function.name_of('parameters')} must be a schema", function.name_of("parameters"))
    return ToolFunction(
        function.text_field("name"), function.text_field("description", ""), {} if parameters is None else parameters
    )


def _schema_of(body: JsonBody) -> str:
    wished = body.object_field("response_format")
    # llama-server's own field, which has the schema itself in it.
    if wished is None:
        schema = body.object_field("json_schema")
        return "" if schema is None else json.dumps(body.raw_value("json_schema"))
    return schema_text(wished, wished.object_field("json_schema"), "response_format")


def schema_text(wished: JsonBody, holder: JsonBody | None, field: str) -> str:
    """Return the JSON schema that an answer is to follow, as text; "" for any text. `holder` has it in its `schema`."""
    kind = wished.text_field("type")
    if kind == "text":
        return ""
    schema = {"type": "object"} if kind == "json_object" or holder is None else holder.raw_value("schema")
    if kind not in ("json_object", "json_schema") or not isinstance(schema, dict | bool):
        raise BadRequest(f"{field} must be text, json_object, or json_schema with its schema", field)
    # `true` allows anything; as an answer's schema it still has to be JSON.
    return json.dumps(schema if isinstance(schema, dict) else {"type": "object"})


def most_tokens(body: JsonBody, *fields: str) -> int:
    """Return the first field present; -1 for no limit, 0 to write nothing."""
    found = [value for field in fields if (value := body.integer_field(field, -1, MOST_TOKENS)) is not None]
    return found[0] if found else -1


def form_of(body: JsonBody, *, has_tools: bool) -> tuple[str, str]:
    """Return the JSON schema and the GBNF that an answer is to follow, of which there is at most one."""
    schema, grammar = _schema_of(body), body.read_grammar()
    # The engine holds an answer to one grammar, and tools and schemas become one.
    if grammar and (schema or has_tools):
        raise BadRequest("grammar can't be combined with tools or a schema", "grammar")
    return schema, grammar


class _Completion:
    """Base of both completion contracts: prompts, answers and usage."""

    def __init__(self, body: JsonBody, prefix: str) -> None:
        self.model = body.text_field("model", "")
        self.streams = body.boolean_field("stream")
        options = body.object_field("stream_options")
        self._tells_usage = options is not None and options.boolean_field("include_usage")
        self._id, self._created = f"{prefix}-{uuid.uuid4().hex}", int(time.time())
        self.wanted: list[GenerationRequest] = []
        self.answers: list[ApiAnswer] = []

    def _set_requests(self, wanted: list[GenerationRequest]) -> None:
        self.wanted = wanted
        # One answer for each prompt and each of its `n`; their numbers in events follow this order.
        self.answers = [ApiAnswer() for generation_request in wanted for _ in range(generation_request.count)]

    def _completion_body(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self.model,
            "choices": choices,
        } | more

    def _usage_body(self) -> dict[str, Any]:
        stats = [answer.stats for answer in self.answers if answer.stats is not None]
        count = self.wanted[0].count  # answers to one prompt, which is read once
        prompt = sum(answer_stats.prompt_tokens for answer_stats in stats[::count])
        written = sum(answer_stats.generated_tokens for answer_stats in stats)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
            "prompt_tokens_details": {
                "cached_tokens": sum(answer_stats.reused_tokens for answer_stats in stats[::count])
            },
            "completion_tokens_details": {
                "reasoning_tokens": sum(answer_stats.thinking_tokens for answer_stats in stats)
            },
        }

    def begin_stream(self) -> Iterator[bytes]:
        return iter(())

    def end_stream(self) -> Iterator[bytes]:
        if self._tells_usage:
            # A piece without choices after the last one: the contract's place for usage.
            yield event_line(self._completion_body(self._kind, [], usage=self._usage_body()))
        yield b"data: [DONE]\n\n"

    def error_event(self, error: dict[str, Any]) -> bytes:
        return event_line(error)

    # The word in the body's `object`, streamed or not, of the older contract.
    _kind = "text_completion"


class ChatCompletion(_Completion):
    """Contract of OpenAI's `/v1/chat/completions`."""

    chats = True
    _kind = "chat.completion.chunk"

    def __init__(self, body: JsonBody) -> None:
        """Raises BadRequest."""
        super().__init__(body, "chatcmpl")
        refuse_unsupported(body, request_fields.CHAT)
        # The older fields count only where no tools are named: SDKs send both for old servers.
        offered = offered_tools(body)
        self._is_legacy = not offered.tools and body.has_field("functions")
        if self._is_legacy:
            offered = legacy_functions_of(body)
        schema, grammar = form_of(body, has_tools=bool(offered.tools))
        self._tells_tokens = body.boolean_field("logprobs")
        most = body.integer_field("top_logprobs", 0, MOST_ALTERNATIVES) or 0
        pictures = RequestPictures()
        messages = messages_of(body, pictures)
        # vLLM's field, by which a client asks for a new answer behind the model's own words.
        continues = is_begun(messages) and body.boolean_field("continue_final_message", default=True)
        # A begun answer's words are prompt already, and a call's grammar would have to begin before them.
        if continues and offered.must_call:
            raise BadRequest("messages: a partial answer can't become a tool call", "messages")
        variables = body.template_variables("chat_template_kwargs")
        effort, thinks = effort_of(body, "reasoning_effort")
        self._set_requests(
            [
                GenerationRequest(
                    messages,
                    pictures=pictures.files,
                    count=body.integer_field("n", 1, MOST_ANSWERS) or 1,
                    max_tokens=most_tokens(body, "max_completion_tokens", "max_tokens"),
                    sampling=body.read_sampling(),
                    logit_bias=body.logit_bias(),
                    stop=body.stop_strings("stop"),
                    # Without the field the engine decides by whether there is a limit of tokens.
                    stop_on_repetition=body.boolean_field("stop_on_repetition")
                    if body.has_field("stop_on_repetition")
                    else None,
                    json_schema=schema,
                    grammar=grammar,
                    continues=continues,
                    tools=offered.tools,
                    must_call=offered.must_call,
                    several_calls=offered.several,
                    # What the template is told directly goes before what the effort says.
                    thinks=variables.pop("enable_thinking", thinks),
                    effort=effort,
                    variables=variables,
                    alternatives=most if self._tells_tokens else -1,
                )
            ]
        )

    def begin_stream(self) -> Iterator[bytes]:
        # The first piece has the role alone; clients make their message from it.
        for number in range(len(self.answers)):
            yield self._delta_event(number, {"role": "assistant", "content": ""})

    def write_event(self, number: int, event: AnswerEvent) -> Iterator[bytes]:
        answer = self.answers[number]
        answer.add_event(event)
        match event:
            case TextDelta(thinking=True):
                # DeepSeek's field, which most clients that show thinking read.
                yield self._delta_event(number, {"reasoning_content": event.text})
            case TextDelta():
                yield self._delta_event(number, {"content": event.text}, answer)
            case CallBegins():
                call = answer.calls[event.number]
                function = {"name": call.name, "arguments": ""}
                if self._is_legacy:
                    # No ids, and no list: this form has one call.
                    yield self._delta_event(number, {"function_call": function})
                    return
                told = {"index": event.number, "id": call.id, "type": "function", "function": function}
                yield self._delta_event(number, {"tool_calls": [told]})
            case CallArguments() if self._is_legacy:
                yield self._delta_event(number, {"function_call": {"arguments": event.piece}})
            case CallArguments():
                told = {"index": event.number, "function": {"arguments": event.piece}}
                yield self._delta_event(number, {"tool_calls": [told]})
            case Finished():
                # The last piece has the tokens that were held back as the beginning of a stop string.
                yield self._delta_event(number, {}, answer, reason=self._finish_reason(answer))

    def complete_body(self) -> dict[str, Any]:
        choices = [self._choice_body(number, answer) for number, answer in enumerate(self.answers)]
        return self._completion_body("chat.completion", choices, usage=self._usage_body())

    def _choice_body(self, number: int, answer: ApiAnswer) -> dict[str, Any]:
        # An answer that only calls has null as content, not an empty text.
        message: dict[str, Any] = {"role": "assistant", "content": answer.text or (None if answer.calls else "")}
        if answer.thinking:
            message["reasoning_content"] = answer.thinking
        if answer.calls and self._is_legacy:
            message["function_call"] = {"name": answer.calls[0].name, "arguments": answer.calls[0].arguments}
        elif answer.calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in answer.calls
            ]
        logprobs = (
            {"content": [_token_body(token) for token in answer.hand_out_tokens()]} if self._tells_tokens else None
        )
        return {"index": number, "message": message, "logprobs": logprobs, "finish_reason": self._finish_reason(answer)}

    def _delta_event(
        self, number: int, delta: dict[str, Any], answer: ApiAnswer | None = None, *, reason: str | None = None
    ) -> bytes:
        logprobs = None
        if self._tells_tokens and answer is not None:
            logprobs = {"content": [_token_body(token) for token in answer.hand_out_tokens()]}
        choice = {"index": number, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        return event_line(self._completion_body(self._kind, [choice]))

    def _finish_reason(self, answer: ApiAnswer) -> str:
        called = "function_call" if self._is_legacy else "tool_calls"
        # A cut answer is "length" even with calls: the last one may be half.
        return "length" if answer.is_cut else called if answer.calls else "stop"


class Completion(_Completion):
    """Contract of `/v1/completions`: continue a text, or fill in before `suffix`."""

    chats = False

    def __init__(self, body: JsonBody) -> None:
        """Raises BadRequest."""
        super().__init__(body, "cmpl")
        refuse_unsupported(body, request_fields.COMPLETION)
        self._most = body.integer_field("logprobs", 0, MOST_ALTERNATIVES)
        self._echo = body.boolean_field("echo")
        longest = most_tokens(body, "max_tokens", "n_predict")
        schema, grammar = form_of(body, has_tools=False)
        prompts = _prompts_of(body)
        self._set_requests(
            [
                GenerationRequest(
                    text="" if isinstance(prompt, tuple) else prompt,
                    tokens=prompt if isinstance(prompt, tuple) else (),
                    suffix=body.text_field("suffix", ""),
                    count=body.integer_field("n", 1, MOST_ANSWERS) or 1,
                    max_tokens=longest if longest >= 0 else 16,  # the contract's default
                    sampling=body.read_sampling(),
                    logit_bias=body.logit_bias(),
                    stop=body.stop_strings("stop"),
                    stop_on_repetition=body.boolean_field("stop_on_repetition")
                    if body.has_field("stop_on_repetition")
                    else None,
                    json_schema=schema,
                    grammar=grammar,
                    alternatives=-1 if self._most is None else self._most,
                    # As token ids the prompt's text is known only to the engine.
                    tells_prompt=self._echo and (self._most is not None or isinstance(prompt, tuple)),
                )
                for prompt in prompts
            ]
        )
        # Number of characters of each answer whose tokens were sent, prompt included: for `text_offset`.
        self._sent_characters = [0] * len(self.answers)

    def begin_stream(self) -> Iterator[bytes]:
        if self._echo:
            for number in range(len(self.answers)):
                # Where the engine tells the prompt, its text is sent with its tokens, in `write_event`.
                if not self._request_of(number).tells_prompt:
                    yield self._text_event(number, self._prompt_text(number))

    def write_event(self, number: int, event: AnswerEvent) -> Iterator[bytes]:
        answer = self.answers[number]
        answer.add_event(event)
        if isinstance(event, TextDelta):
            yield self._text_event(number, event.text)
        elif isinstance(event, PromptSeen):
            yield self._text_event(number, self._prompt_text(number))
        elif isinstance(event, Finished):
            yield self._text_event(number, "", reason="length" if answer.is_cut else "stop")

    def complete_body(self) -> dict[str, Any]:
        choices = [
            {
                "index": number,
                "text": (self._prompt_text(number) if self._echo else "") + answer.text,
                "logprobs": self._logprobs_body(number),
                "finish_reason": "length" if answer.is_cut else "stop",
            }
            for number, answer in enumerate(self.answers)
        ]
        return self._completion_body(self._kind, choices, usage=self._usage_body())

    def _request_of(self, number: int) -> GenerationRequest:
        # Answers are numbered prompt by prompt.
        return self.wanted[number // self.wanted[0].count]

    def _prompt_text(self, number: int) -> str:
        """Return the text being continued, decoded if it was given as token ids."""
        answer, text = self.answers[number], self._request_of(number).text
        # A prompt given as ids may end within a character.
        return text or b"".join(token.data for token in answer.prompt).decode("utf-8", "replace")

    def _logprobs_body(self, number: int) -> dict[str, Any] | None:
        """Return log probabilities of tokens not sent yet; the prompt's come first if it is echoed."""
        answer = self.answers[number]
        if self._most is None:
            return None
        tokens = answer.hand_out_tokens()
        # Only once, before the first token of the answer.
        if self._sent_characters[number] == 0 and self._echo:
            tokens = [*answer.prompt, *tokens]
        elif self._sent_characters[number] == 0:
            self._sent_characters[number] = len(self._prompt_text(number))
        lists = _token_lists(tokens, self._sent_characters[number])
        self._sent_characters[number] += len(b"".join(token.data for token in tokens).decode("utf-8", "ignore"))
        return lists

    def _text_event(self, number: int, text: str, *, reason: str | None = None) -> bytes:
        choice = {"index": number, "text": text, "logprobs": self._logprobs_body(number), "finish_reason": reason}
        return event_line(self._completion_body(self._kind, [choice]))


def _prompts_of(body: JsonBody) -> list[str | tuple[int, ...]]:
    given = body.raw_value("prompt")
    many = body.list_field("prompt") if isinstance(given, list) else [body.text_field("prompt")]
    # A list of numbers is one prompt, a list of lists or texts several.
    if many and all(isinstance(token, int) for token in many):
        many = [many]
    found = [_prompt_of(prompt) for prompt in many]
    if not found or None in found or len(found) > MOST_ANSWERS:
        raise BadRequest(f"prompt must be a text or token ids, or at most {MOST_ANSWERS} of these", "prompt")
    return [prompt for prompt in found if prompt is not None]


def _prompt_of(value: object) -> str | tuple[int, ...] | None:
    if isinstance(value, str):
        return clean_text(value)
    # Not isinstance: a boolean is an integer in Python.
    is_ids = isinstance(value, list) and value and all(type(token) is int and 0 <= token < 1 << 31 for token in value)
    return tuple(value) if is_ids and isinstance(value, list) else None


def _token_body(token: TokenSeen) -> dict[str, Any]:
    others = [_token_entry(guess.data, _log_of(guess, token)) for guess in token.alternatives]
    text = token.data.decode("utf-8", "replace")
    return {"token": text, "logprob": token.log_probability, "bytes": list(token.data), "top_logprobs": others}


def _token_entry(data: bytes, log_probability: float) -> dict[str, Any]:
    return {"token": data.decode("utf-8", "replace"), "logprob": log_probability, "bytes": list(data)}


def _log_of(guess: Guess, token: TokenSeen) -> float:
    # lm-eval compares the written token's number with the likeliest's: exp and log of one differ in the last digit.
    if guess.id == token.id:
        return token.log_probability
    return math.log(guess.probability) if guess.probability > 0 else -9999.0  # JSON has no infinity


def _token_lists(tokens: list[TokenSeen], offset: int) -> dict[str, Any]:
    """Return tokens in the old contract's lists."""
    # Half a character counts as none, so that offsets stay those of the text.
    lengths = [len(token.data.decode("utf-8", "ignore")) for token in tokens]
    return {
        "tokens": [token.data.decode("utf-8", "replace") for token in tokens],
        # A prompt's first token has no probability: nothing stands before it.
        "token_logprobs": [None if token.rank < 0 else token.log_probability for token in tokens],
        "top_logprobs": [
            None
            if token.rank < 0
            else {guess.data.decode("utf-8", "replace"): _log_of(guess, token) for guess in token.alternatives}
            for token in tokens
        ],
        "text_offset": [offset + sum(lengths[:place]) for place in range(len(lengths))],
    }
