"""A request of another program, whichever API it came by, and what the engine is asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.core.events import Finished, Message, PromptProgress, Role, TextDelta, TokenChosen, TokenSeen
from app.core.lazy_dataclasses import dataclass, field, replace
from app.engine.protocol import Ask, CallSyntax, Sampling
from app.features import tool_calls
from app.features.write_pages import GREEDY

if TYPE_CHECKING:
    pass

SEEDS = 1 << 32
TOGETHER_S = 0.05
"""Words that a fast model writes within that time come together: each telling takes from the processor."""
MOST_TOLD_CHARACTERS = 8_000
"""Longest schema, in characters, that is repeated in the instructions."""


@dataclass(frozen=True)
class GenerationRequest:
    """Answers to a conversation, or without messages continuations of `text` or `tokens`.

    `must_call`: one of `tools` must be called. `continues`: continue the last message, an assistant's. `alternatives`
    as in `protocol.Ask`.
    """

    messages: tuple[Message, ...] = ()
    text: str = ""
    suffix: str = ""
    tokens: tuple[int, ...] = ()
    count: int = 1
    max_tokens: int = -1
    sampling: Sampling = field(default_factory=Sampling)
    logit_bias: tuple[tuple[int, float], ...] = ()
    stop: tuple[str, ...] = ()
    json_schema: str = ""
    grammar: str = ""
    """GBNF grammar, without a schema or tools."""
    continues: bool = False
    tools: tuple[tool_calls.ToolFunction, ...] = ()
    must_call: bool = False
    way: tool_calls.CallWay = tool_calls.CallWay.LAZY
    """How far calls are constrained that need not be made."""
    tells_words_do: bool = False
    """Tell a model in its instructions that words do where no tool fits: small ones call something otherwise. A
    client's instructions stay its own."""
    several_calls: bool = True
    thinks: bool | None = None
    effort: str = ""
    """Of thinking: low, medium or high."""
    thinking_budget: int = -1
    variables: Mapping[str, Any] = field(default_factory=dict)
    """More for the template."""
    alternatives: int = -1
    tells_prompt: bool = False
    """Also report the tokens of `text` (`PromptSeen`), with as many top log probabilities as the answer's."""
    stop_on_repetition: bool | None = None
    """As in `protocol.Ask`; None: only where the client sets no limit, which would end it otherwise."""
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """The files of the messages' media, by their ids."""

    def engine_asks(self, syntax: CallSyntax | None = None) -> list[Ask]:
        """Return one engine request per answer, each with the next seed.

        `syntax` is the model's tool call syntax. Raises ValueError for a bad schema.
        """
        seed = self.sampling.seed
        schema, calling = self.json_schema, None
        escape = tool_calls.NO_TOOL_FITS if self.may_refuse else ""
        must_call = self.must_call or self.may_refuse
        if self.tools and must_call:
            schema = ""  # what has to be a call has no other form
        # Without a syntax a grammar would forbid answers that begin as a call does.
        if self.tools and self.is_constrained and (syntax is not None or schema or must_call):
            written = syntax or tool_calls.JSON_LINES
            schema = tool_calls.inline_references(schema) if schema else ""
            calling = tool_calls.calling_of(
                written, self.tools, must_call=must_call, several=self.several_calls, escape=escape
            )
        messages, variables = self.prompt_messages(syntax)
        ask = Ask(
            messages,
            max_tokens=self.max_tokens,
            sampling=self.sampling,
            # Temperature 0 asks for the likeliest token, without what a model's makers recommend.
            task_sampling=GREEDY if self.sampling.temperature == 0 else Sampling(),
            stop=self.stop,
            continue_last=self.continues,
            thinking_budget=self.thinking_budget,
            tokens=self.tokens,
            logit_bias=self.logit_bias,
            grammar=self.grammar,
            json_schema=schema,
            text=self.text,
            suffix=self.suffix,
            template_variables=variables,
            alternatives=self.alternatives,
            calling=calling,
            together_s=TOGETHER_S,
            is_outside=True,
            # A client without a limit waits for a small model's circle to the end of the context.
            stop_on_repetition=self.max_tokens < 0 if self.stop_on_repetition is None else self.stop_on_repetition,
        )
        if seed is None:
            return [ask] * self.count
        # Several answers to one prompt would be one answer several times.
        return [replace(ask, sampling=replace(ask.sampling, seed=(seed + n) % SEEDS)) for n in range(self.count)]

    def prompt_messages(self, syntax: CallSyntax | None) -> tuple[list[Message], dict[str, Any]]:
        """Return the messages and the extra template variables."""
        variables, given = dict(self.variables), list(self.messages)
        if self.may_refuse:
            given = _with_instructions(given, tool_calls.NO_TOOL_INSTRUCTIONS)
        elif self.tells_words_do and self.tools and not self.must_call and syntax is not None:
            given = _with_instructions(given, tool_calls.WORDS_INSTRUCTIONS)
        if self.thinks is not None:
            # Templates call the switch by either name.
            variables |= {"enable_thinking": self.thinks, "thinking": self.thinks}
        if self.effort:
            variables["reasoning_effort"] = self.effort
        if syntax is None:
            messages = tool_calls.as_text(given)
            if self.tools:
                told = tool_calls.instructions_for(self.tools, must_call=self.must_call)
                messages = _with_instructions(messages, told)
            return self._with_form(messages), variables
        if self.tools:
            variables["tools"] = tool_calls.tools_told(self.tools)
        return self._with_form(given), variables

    def _with_form(self, messages: list[Message]) -> list[Message]:
        """Add the answer's JSON schema to the instructions, telling it apart from the form of a call."""
        # Told in words what the form is, since models took it for the form of a call: the schema's first key may be
        # "name".
        if not (self.tools and self.json_schema) or self.must_call or len(self.json_schema) > MOST_TOLD_CHARACTERS:
            return messages
        return _with_instructions(messages, tool_calls.form_instructions(self.json_schema))

    @property
    def may_refuse(self) -> bool:
        """True if the answer is calls, or says that no tool fits."""
        strict = self.way is tool_calls.CallWay.STRICT
        return strict and bool(self.tools) and not self.must_call and not self.json_schema

    @property
    def is_constrained(self) -> bool:
        """True if a grammar is to keep calls valid, as it has to where one must be made."""
        return self.way is not tool_calls.CallWay.FREE or self.must_call or bool(self.json_schema)

    @property
    def has_calls(self) -> bool:
        """True if the template's tool call syntax matters for this request."""
        return bool(self.tools) or any(message.calls or message.result_of for message in self.messages)


def _with_instructions(messages: Sequence[Message], text: str) -> list[Message]:
    first = messages[0] if messages else None
    # One system message: many templates take only the first.
    if first is None or first.role is not Role.SYSTEM:
        return [Message(Role.SYSTEM, text), *messages]
    return [Message(Role.SYSTEM, f"{first.text}\n\n{text}"), *messages[1:]]


@dataclass(frozen=True)
class PromptSeen:
    """The prompt's tokens of a completion, with the model's probabilities for each."""

    tokens: tuple[TokenSeen, ...]


AnswerEvent = (
    PromptProgress | PromptSeen | TextDelta | TokenChosen | tool_calls.CallBegins | tool_calls.CallArguments | Finished
)
