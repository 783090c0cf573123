"""An ask in the words of OpenAI's contract, with its pictures, and what is read from the pieces of its answer."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from app.core.events import AnswerStats, FinishReason, Message, ModelElsewhere, Role, TextDelta
from app.core.number_format import whole_number
from app.engine.protocol import Ask, Sampling
from app.remote import server_facts
from app.remote.request_pictures import content_of, without_surrogates
from app.remote.servers import RemoteModel

THINKING_ROOM = 4096
"""Tokens more for an answer whose thinking is counted with it and cannot be held to a limit."""
CHAT, COMPLETIONS = "/chat/completions", "/completions"
SYSTEM = "system"
GO_ON = (
    "Go on with the text that the user shows you, from its very last word on, in its language and manner. Write only "
    "what comes next: no greeting, no remark, and nothing of the text again."
)
"""Instruction to continue a text, for servers that only offer chat."""
_NEEDED = ("model", "messages", "prompt", "stream", "suffix")
LEAST_ECHO = 16
"""Characters: a shorter beginning may well be said twice."""
_TAGS = {"<think>": "</think>", "[THINK]": "[/THINK]"}
_USUAL_CLOSE = "</think>"
_EXACT = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed")
_MORE = {"top_k": "top_k", "min_p": "min_p", "repeat_penalty": "repeat_penalty", "dry_multiplier": "dry_multiplier"}
_REPETITION = {server_facts.VLLM: "repetition_penalty", server_facts.SGLANG: "repetition_penalty"}
_KNOWS_MORE = (
    server_facts.LLAMA_CPP,
    server_facts.VLLM,
    server_facts.SGLANG,
    server_facts.LM_STUDIO,
    server_facts.FIRESIDE,
)


def path_of(body: dict[str, Any]) -> str:
    return CHAT if "messages" in body else COMPLETIONS


def body_of(
    ask: Ask, model: RemoteModel, loaded: ModelElsewhere, refused: set[str]
) -> tuple[dict[str, Any], list[str]]:
    """Return the request and the names of its optional fields, without those that were `refused`.

    "system" among the refused: the template takes no instructions, so they go into the first question. Raises
    PictureUnreadable.
    """
    kind = model.server.kind
    body: dict[str, Any] = {"model": model.name, "stream": True, "stream_options": {"include_usage": True}}
    if not ask.messages and COMPLETIONS in refused:
        body["messages"] = [
            {"role": "system", "content": GO_ON},
            {"role": "user", "content": without_surrogates(ask.text)},
        ]
    elif ask.messages:
        messages = _fold_instructions(ask.messages) if SYSTEM in refused else ask.messages
        body["messages"] = [
            {"role": message.role.value, "content": content_of(message, sees=loaded.sees)} for message in messages
        ]
    else:
        body["prompt"] = without_surrogates(ask.text)
        body |= {"suffix": without_surrogates(ask.suffix)} if ask.suffix else {}
    if ask.max_tokens > 0:
        room = THINKING_ROOM if ask.messages and _thinks_anyway(loaded, kind, refused) else 0
        body["max_completion_tokens" if "max_tokens" in refused else "max_tokens"] = ask.max_tokens + room
    elif not ask.messages:
        body["max_tokens"] = max(16, loaded.context_tokens // 2)  # the contract's own limit is 16
    if ask.stop:
        # OpenAI's contract takes at most four.
        body["stop"] = list(ask.stop)[:4]
    body |= _sampling_fields(ask.sampling, ask.task_sampling, kind)
    doubtful = {name: value for name, value in _doubtful_fields(ask, kind).items() if name not in refused}
    body = {name: value for name, value in (body | doubtful).items() if name not in refused}
    return body, list(doubtful)


def named_in(words: str, body: dict[str, Any]) -> str:
    """Return the part of a request that a server's refusal names; "" if unclear."""
    if any(message["role"] == "system" for message in body.get("messages", ())) and re.search(
        r"system role", words, re.I
    ):
        return SYSTEM
    return next((name for name in body if name not in _NEEDED and re.search(rf"\b{name}\b", words)), "")


def _fold_instructions(messages: Sequence[Message]) -> list[Message]:
    """Return the instructions, as the beginning of the first question."""
    system = "\n\n".join(message.text for message in messages if message.role is Role.SYSTEM)
    rest = [message for message in messages if message.role is not Role.SYSTEM]
    if not rest or rest[0].role is not Role.USER:
        return [Message(Role.USER, system), *rest]
    return [replace(rest[0], text=f"{system}\n\n{rest[0].text}"), *rest[1:]]


def _thinks_anyway(loaded: ModelElsewhere, kind: str, refused: set[str]) -> bool:
    if loaded.thinking != "switch":
        return loaded.thinking in ("always", "effort")
    takes_variables = kind in server_facts.TAKES_TEMPLATE_VARIABLES and "chat_template_kwargs" not in refused
    return not (takes_variables or kind == server_facts.OLLAMA)


def _sampling_fields(own: Sampling, task: Sampling, kind: str) -> dict[str, Any]:
    def value(name: str) -> Any:
        chosen = getattr(own, name)
        return getattr(task, name) if chosen is None else chosen

    found = {name: value(name) for name in _EXACT}
    if kind in _KNOWS_MORE:
        found |= {_REPETITION.get(kind, name) if name == "repeat_penalty" else name: value(name) for name in _MORE}
    if kind not in (server_facts.LLAMA_CPP, server_facts.FIRESIDE):
        found.pop("dry_multiplier", None)
    return {name: value for name, value in found.items() if value is not None}


def _doubtful_fields(ask: Ask, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if ask.grammar and kind == server_facts.LLAMA_CPP:
        found["grammar"] = ask.grammar
    elif ask.json_schema:
        schema = {"name": "answer", "schema": json.loads(ask.json_schema), "strict": True}
        found["response_format"] = {"type": "json_schema", "json_schema": schema}
    # Other servers take no grammar; one that starts with a brace wants JSON.
    elif ask.grammar.startswith('root ::= "{'):
        found["response_format"] = {"type": "json_object"}
    if ask.template_variables and ask.messages:
        effort = ask.template_variables.get("reasoning_effort")
        if kind in server_facts.TAKES_TEMPLATE_VARIABLES:
            found["chat_template_kwargs"] = dict(ask.template_variables)
        # Ollama switches thinking off by an effort of "none".
        if effort or (kind == server_facts.OLLAMA and ask.template_variables.get("enable_thinking") is False):
            found["reasoning_effort"] = effort or "none"
    if ask.continue_last and kind in (server_facts.VLLM, server_facts.SGLANG):
        found |= {"continue_final_message": True, "add_generation_prompt": False}
    return found


def echo_of(ask: Ask, kind: str) -> str:
    """Return text that the server may repeat before continuing an answer. Known for llama-server; a guess for
    others.
    """
    text = ask.messages[-1].text if ask.continue_last and ask.messages else ""
    return text if kind == server_facts.LLAMA_CPP or len(text) >= LEAST_ECHO else ""


class StreamReader:
    """Read an answer's stream. Thinking is what the server separates, or tagged text at the start.

    For models that always think, the opening tag may be in the prompt; then the closing tag ends it.
    """

    def __init__(self, *, splits_thinking: bool, always_thinks: bool = False, echo: str = "") -> None:
        """`echo` is the text being continued; it is left out if the server repeats it."""
        self.prompt_tokens = self.cached_tokens = self.generated_tokens = self.thinking_tokens = 0
        """Counts reported by the server; 0 without."""
        self.pieces = self.characters = 0
        self.reason = FinishReason.STOP
        self.is_over = False
        """True if the answer said that it ended."""
        self._state = "beginning" if splits_thinking else "text"
        self._always_thinks, self._close_tag, self._is_marked = always_thinks, _USUAL_CLOSE, True
        self._unmarked = ""
        """Text shown as thinking although no tag marked it."""
        self._held, self._echo, self._has_gap = "", echo.rstrip(), echo[-1:].isspace()
        self._began_s, self._first_s, self._last_s = time.monotonic(), 0.0, 0.0

    def read(self, piece: dict[str, Any]) -> Iterator[TextDelta]:
        """Yield the text of one object of the stream."""
        self._read_usage(piece.get("usage"))
        choice = server_facts.first_choice(piece)
        # A stream has `delta`, a whole answer `message`, a completion the text itself.
        delta = choice.get("delta") or choice.get("message") or choice
        if isinstance(delta, dict):
            thought, text = _first_text(delta, "reasoning_content", "reasoning"), _first_text(delta, "content", "text")
            if thought:
                self._count_text(thought)
                self._always_thinks = False  # the server tells it apart
                yield TextDelta(thought, thinking=True)
            if text:
                self._count_text(text)
                yield from self._split_text(text)
        if isinstance(choice.get("finish_reason"), str):
            self.is_over = True
            self.reason = FinishReason.LENGTH if choice["finish_reason"] == "length" else FinishReason.STOP

    def close(self) -> Iterator[TextDelta]:
        """Yield held-back text at the end of the stream."""
        held, self._held = self._held, ""
        is_thinking = self._state == "thinking"
        if is_thinking and not self._is_marked and self.is_over and self.reason is not FinishReason.LENGTH:
            yield TextDelta(self._unmarked + held)  # it did not think, this time
        elif held:
            yield TextDelta(held, thinking=is_thinking)

    def answer_stats(self, expected_tokens: int) -> AnswerStats:
        """Return what was measured here; `expected_tokens` the prompt has where the server does not say."""
        prompt, written = self.prompt_tokens or expected_tokens, self.generated_tokens or self.pieces
        took_s = self._last_s - self._first_s
        return AnswerStats(
            prompt_tokens=prompt,
            reused_tokens=min(self.cached_tokens, prompt),
            generated_tokens=written,
            time_to_first_token_s=max(0.0, self._first_s - self._began_s),
            tokens_per_s=(written - 1) / took_s if written > 1 and took_s > 0 else 0.0,
            finish_reason=self.reason,
            thinking_tokens=self.thinking_tokens,
        )

    def _count_text(self, text: str) -> None:
        self._last_s = time.monotonic()
        self._first_s = self._first_s or self._last_s
        self.pieces += 1
        self.characters += len(text)

    def _split_text(self, text: str) -> Iterator[TextDelta]:
        if self._state == "text" and not self._echo:
            yield TextDelta(text)
            return
        self._held += text
        if self._echo:
            yield from self._without_echo()
            return
        if self._state == "beginning":
            begun = self._held.lstrip()
            # It may still become a tag.
            if not begun or any(tag.startswith(begun) for tag in _TAGS):
                return
            opened = next((tag for tag in _TAGS if begun.startswith(tag)), "")
            if not opened and not self._always_thinks:
                self._state = "text"
                yield from self.close()
                return
            self._state, self._held = "thinking", begun.removeprefix(opened).lstrip("\n")
            self._close_tag, self._is_marked = _TAGS.get(opened, _USUAL_CLOSE), bool(opened)
        thought, tag, rest = self._held.partition(self._close_tag)
        if tag:
            self._state, self._held, self._unmarked = "text", "", ""
            if thought.rstrip("\n"):
                yield TextDelta(thought.rstrip("\n"), thinking=True)
            if rest.lstrip("\n"):
                yield TextDelta(rest.lstrip("\n"))
            return
        safe = max(0, len(self._held) - len(self._close_tag))  # the tag may come in pieces
        ready, self._held = self._held[:safe], self._held[safe:]
        if ready:
            self._unmarked += "" if self._is_marked else ready
            yield TextDelta(ready, thinking=True)

    def _without_echo(self) -> Iterator[TextDelta]:
        begun = self._held.lstrip()
        if self._echo.startswith(begun) and begun != self._echo:
            return
        if begun.startswith(self._echo):
            rest = begun.removeprefix(self._echo)
            self._held = rest.lstrip() if self._has_gap else rest
        self._echo = ""
        yield from self.close()

    def _read_usage(self, usage: Any) -> None:
        if not isinstance(usage, dict):
            return
        self.prompt_tokens = whole_number(usage.get("prompt_tokens")) or self.prompt_tokens
        self.generated_tokens = whole_number(usage.get("completion_tokens")) or self.generated_tokens
        for outer, inner, name in (
            ("prompt_tokens_details", "cached_tokens", "cached_tokens"),
            ("completion_tokens_details", "reasoning_tokens", "thinking_tokens"),
        ):
            part = usage.get(outer)
            if isinstance(part, dict):
                setattr(self, name, whole_number(part.get(inner)) or getattr(self, name))


def _first_text(fields: dict[str, Any], *names: str) -> str:
    text = next((value for name in names if isinstance(value := fields.get(name), str) and value), "")
    return text if text.isascii() else without_surrogates(text)  # JSON may hold halves of characters


def json_in(text: str) -> str:
    """Return the first JSON object or list in a text, without fences and words around it; the text where there is
    none.
    """
    # Models break lines inside of JSON strings, which strict JSON forbids.
    decoder = json.JSONDecoder(strict=False)
    at = 0
    while at < len(text):
        if text[at] in "{[":
            try:
                _, end = decoder.raw_decode(text, at)
            except (ValueError, RecursionError):
                at += 1
                continue
            return text[at:end]
        at += 1
    return text
