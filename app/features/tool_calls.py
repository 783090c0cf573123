"""Tool calls: describing functions to a model, constraining its answer, and parsing calls as they stream.

If a model's template has its own syntax for calls (`protocol.CallSyntax`), that is used. Otherwise a call is one JSON
object a line, ``{"name": …, "arguments": …}``, which needs nothing of the template, so every chat model works. Either
is constrained by a grammar to each function's own schema, so that a call can't be malformed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any

from app.core.events import Message
from app.core.lazy_dataclasses import dataclass, field, replace
from app.engine.answer_decoder import overlap_length
from app.engine.protocol import Calling, CallSyntax

MOST_NODES = 20_000


class CallWay(Enum):
    """How far a model's calls are constrained; which way suits it best is measured (`tools.scoring`)."""

    FREE = "free"
    """Not at all: whatever it writes is read afterwards."""
    LAZY = "lazy"
    """From where it begins a call by itself; calls that can't be carried out are asked for once more."""
    STRICT = "strict"
    """From the first token: calls, or `NO_TOOL_FITS`."""


NO_TOOL_FITS = "No tool fits."
"""What an answer says that has to be calls and can be none."""
WORDS_INSTRUCTIONS = "When no tool fits what is asked, answer in words."
NO_TOOL_INSTRUCTIONS = f"When no tool fits what is asked, write only: {NO_TOOL_FITS}"


@dataclass(frozen=True)
class ToolFunction:
    """A function the model may call. `parameters` is a JSON schema of an object, or true for anything."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] | bool = field(default_factory=dict)


def describe_function(
    name: str, description: str, *required: str, **properties: str | Mapping[str, Any]
) -> ToolFunction:
    """Return a function of these arguments: a schema each, or the description of a text; `required` must be given."""
    schemas = {
        key: {"type": "string"} | ({"description": said} if said else {}) if isinstance(said, str) else said
        for key, said in properties.items()
    }
    parameters: dict[str, Any] = {"type": "object", "properties": schemas}
    return ToolFunction(name, description, parameters | ({"required": list(required)} if required else {}))


@dataclass(frozen=True)
class CallBegins:
    """The model calls a function; its arguments follow piece by piece. Calls are counted from 0."""

    number: int
    name: str


@dataclass(frozen=True)
class CallArguments:
    """The next piece of the arguments, JSON as text."""

    number: int
    piece: str


@dataclass(frozen=True)
class CallWords:
    """The next piece of an answer's text."""

    piece: str


Told = CallBegins | CallArguments | CallWords


def tools_told(tools: Sequence[ToolFunction]) -> list[dict[str, Any]]:
    """Return the functions in the form chat templates take."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                # Some templates fail without properties.
                "parameters": tool.parameters or {"type": "object", "properties": {}}
                if isinstance(tool.parameters, Mapping)
                else {"type": "object", "properties": {}},
            },
        }
        for tool in tools
    ]


JSON_LINES = CallSyntax('{"name": "', '", "arguments": ', "}", '}\n{"name": "', begins='{"name": "')
"""As a template would have it whose calls are one JSON object a line."""


def calling_of(
    syntax: CallSyntax, tools: Sequence[ToolFunction], *, must_call: bool, several: bool, escape: str = ""
) -> Calling:
    """Describe the calls an answer may make in a syntax. Raises ValueError for a dangling reference in a schema."""
    functions = tuple((tool.name, json.dumps(arguments_schema(tool))) for tool in tools)
    return Calling(syntax, functions, must_call, several, escape)


def as_text(messages: Sequence[Message]) -> list[Message]:
    """Convert calls and results into plain turns, for a model without tool support."""
    return [_as_text(message) for message in messages]


def _as_text(message: Message) -> Message:
    if message.result_of is not None:
        name = message.result_of.name or "the function"
        # Told as a turn: a template without tools knows no results.
        return replace(message, text=f"Result of {name}:\n{message.text}", result_of=None)
    if message.calls:
        lines = (f'{{"name": {_quote_json(call.name)}, "arguments": {call.arguments}}}' for call in message.calls)
        return replace(message, text="\n".join(filter(None, (message.text, *lines))), calls=())
    return message


def _quote_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def instructions_for(tools: Sequence[ToolFunction], *, must_call: bool) -> str:
    """Build the text appended to the chat's instructions."""
    lines = [
        "You can call functions. A call is one line of JSON and nothing else:",
        '{"name": "the function", "arguments": {…}}',
        "The functions, with JSON schemas of their arguments:",
        *(_describe_tool(tool) for tool in tools),
    ]
    lines.append("Call a function now." if must_call else "When no function is needed, answer in words.")
    return "\n".join(lines)


def form_instructions(json_schema: str) -> str:
    """Build the instructions for answers that aren't calls but must follow a schema."""
    return (
        "When a function helps, call it. Otherwise your answer is one JSON object with the answer itself, not a call. "
        f"It follows this JSON schema:\n{json_schema}"
    )


def _describe_tool(tool: ToolFunction) -> str:
    told = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return json.dumps({key: value for key, value in told.items() if value != ""}, ensure_ascii=False)


def inline_references(json_schema: str) -> str:
    """Inline a schema's references, so that it can be nested in another. Raises ValueError as `calling_of`."""
    schema = json.loads(json_schema)
    if not isinstance(schema, Mapping):
        return json_schema
    inlined = _InlinedSchema(schema).inline_node(
        # References are inlined, so definitions would only be repeated.
        {key: value for key, value in schema.items() if key not in ("$defs", "definitions")}
    )
    return json.dumps(inlined)


def parse_arguments(text: str) -> Any:
    """Return a call's arguments as JSON, an object for none, or what was written in their place."""
    try:
        return json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):  # cut at the limit of tokens, or brackets without end
        return text


def arguments_schema(tool: ToolFunction) -> dict[str, Any]:
    if not isinstance(tool.parameters, Mapping) or not tool.parameters:
        return {"type": "object"}
    root = {key: value for key, value in tool.parameters.items() if key not in ("$defs", "definitions")}
    return {"type": "object", **_InlinedSchema(tool.parameters).inline_node(root)}


class _InlinedSchema:
    """A schema whose references into itself are replaced by what they name; inside of that again, anything goes."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root, self._nodes = root, 0

    def inline_node(self, node: Any, inside: tuple[str, ...] = ()) -> Any:
        """Inline a node's references.

        Raises ValueError for a dangling reference, and for a schema that gets too large.
        """
        self._nodes += 1
        # A schema of a few lines can grow to gigabytes where references refer to each other.
        if self._nodes > MOST_NODES:
            raise ValueError("the schema becomes too large when its references are followed")
        if isinstance(node, list):
            return [self.inline_node(element, inside) for element in node]
        if not isinstance(node, Mapping):
            return node
        reference = node.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return {key: self.inline_node(value, inside) for key, value in node.items()}
        # Within itself anything goes: a grammar can't be endless.
        return {} if reference in inside else self.inline_node(self._resolve_reference(reference), (*inside, reference))

    def _resolve_reference(self, reference: str) -> Any:
        found: Any = self._root
        for part in reference.strip("#/").split("/") if reference.strip("#/") else ():
            # JSON Pointer's two escapes, in this order.
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or name not in found:
                raise ValueError(f"the schema has nothing at {reference}")
            found = found[name]
        return found


class SyntaxReader:
    """Separate calls in a syntax from text in a streamed answer, whatever its chunks.

    Arguments in other notations are reported as JSON; a value is reported once complete.
    """

    def __init__(self, syntax: CallSyntax, tools: Sequence[ToolFunction], *, must_call: bool) -> None:
        self._syntax = syntax
        self._schemas = {tool.name: arguments_schema(tool).get("properties", {}) for tool in tools}
        self._held, self._number, self._name = "", -1, ""
        self._state = self._read_opening if must_call else self._read_words
        self._depth = _BracketDepth()
        self._is_first = True

    def read(self, piece: str) -> Iterator[Told]:
        """Yield the events of the next piece."""
        self._held += piece
        while True:
            before = self._held, self._state
            yield from self._state()
            if (self._held, self._state) == before or not self._held:
                return

    def close(self) -> Iterator[Told]:
        """End the answer: what was held back as a possible call is text."""
        if self._state == self._read_words and self._held:
            held, self._held = self._held, ""
            yield CallWords(held)

    @property
    def unread(self) -> str:
        """What began a call and could not be read as one, such as a call of a function that is not offered."""
        return self._held if self._state in (self._read_opening, self._in_name) else ""

    def _read_words(self) -> Iterator[Told]:
        if (at := self._held.find(self._syntax.begins)) >= 0:
            words, self._held, self._state = self._held[:at].rstrip(), self._held[at:], self._read_opening
        else:
            # An end that may begin a call is held back.
            words = self._held[: len(self._held) - overlap_length(self._held, self._syntax.begins)].rstrip()
            self._held = self._held[len(words) :]
        if words:
            yield CallWords(words)

    def _read_opening(self) -> Iterator[Told]:
        if not self._syntax.opening[:1].isspace():
            self._held = self._held.lstrip()  # the grammar allows the blank that some vocabularies begin with
        self._pass_literal(self._syntax.opening, self._in_name)
        return iter(())

    def _pass_literal(self, literal: str, then: Any) -> bool:
        """Skip a literal that comes next; return whether it was there."""
        if (found := _literal_pattern(literal).match(self._held)) is None:
            return False
        self._held, self._state = self._held[found.end() :], then
        return True

    def _in_name(self) -> Iterator[Told]:
        """Read a function's name.

        One name may begin another, so the literal before the arguments decides where it ends.
        """
        for name in sorted(self._schemas, key=len, reverse=True):
            rest = self._held[len(name) :]
            # One name may begin another, so what follows it decides.
            if self._held.startswith(name) and _literal_pattern(self._syntax.between).match(rest):
                self._number, self._name, self._held = self._number + 1, name, rest
                self._pass_literal(self._syntax.between, self._arguments)
                self._depth, self._is_first = _BracketDepth(), True
                yield CallBegins(self._number, name)
                return

    @property
    def _arguments(self) -> Callable[[], Iterator[Told]]:
        """Reader for the syntax of the arguments."""
        if not self._syntax.key_closing:
            return self._read_json
        return self._read_listed if self._syntax.separator else self._read_pairs

    def _read_json(self) -> Iterator[Told]:
        place = self._depth.end_of(self._held)
        piece, self._held = self._held[:place], self._held[place:]
        if self._depth.is_over:
            self._state = self._read_behind
        if piece:
            yield CallArguments(self._number, piece)

    def _read_pairs(self) -> Iterator[Told]:
        syntax = self._syntax
        found = re.match(
            f"{re.escape(syntax.key_opening)}(.*?){re.escape(syntax.key_closing)}(.*?){re.escape(syntax.value_closing)}",
            # Not greedy: values may hold anything but what closes them.
            self._held,
            re.DOTALL,
        )
        if found is not None:
            begin = "{" if self._is_first else ", "
            self._is_first, self._held = False, self._held[found.end() :]
            yield CallArguments(
                self._number, f"{begin}{_quote_json(found[1])}: {self._argument_value(found[1], found[2])}"
            )
        # Not the beginning of a further pair, so the arguments end here.
        elif self._held and not syntax.key_opening.startswith(self._held[: len(syntax.key_opening)]):
            self._state = self._read_behind
            yield CallArguments(self._number, "{}" if self._is_first else "}")

    def _read_listed(self) -> Iterator[Told]:
        """Read listed values; one is complete when what follows it is there."""
        syntax = self._syntax
        if self._held.startswith(syntax.closing[:1]):
            self._state = self._read_behind
            yield CallArguments(self._number, "{}" if self._is_first else "}")
            return
        key, _, text = self._held.partition(syntax.key_closing)
        value, rest = self._first_value(text)
        # A number may go on with the next piece, so it counts once something follows.
        if rest.startswith(syntax.separator) or (rest and rest.startswith(syntax.closing[:1])):
            begin = "{" if self._is_first else ", "
            self._is_first, self._held = False, rest.removeprefix(syntax.separator)
            yield CallArguments(self._number, f"{begin}{_quote_json(key)}: {json.dumps(value, ensure_ascii=False)}")

    def _first_value(self, text: str) -> tuple[Any, str]:
        """Split off the first complete value of a text; empty while it is incomplete."""
        if (quote := self._syntax.quote) and text.startswith(quote):
            words, _, rest = text.removeprefix(quote).partition(quote)
            return words, rest
        try:
            value, end = _DECODER.raw_decode(text)
        except ValueError:
            return None, ""
        return value, text[end:].lstrip()

    def _argument_value(self, key: str, text: str) -> str:
        schema = self._schemas[self._name].get(key)
        # A text is taken as it is written; "5" stays a text where the schema says so.
        if isinstance(schema, Mapping) and schema.get("type") == "string" and "enum" not in schema:
            return _quote_json(text)
        try:
            return json.dumps(json.loads(text), ensure_ascii=False)
        except ValueError:
            return _quote_json(text)

    def _read_behind(self) -> Iterator[Told]:
        """Skip what follows the arguments, blanks included."""
        # Some models put blanks before the next call, which would be told as words.
        if self._syntax.joiner and not self._pass_literal(self._syntax.joiner, self._in_name):
            self._held = self._held.lstrip() or self._held
            self._pass_literal(self._syntax.joiner, self._in_name)
        return iter(())


_DECODER = json.JSONDecoder()


@lru_cache(maxsize=64)
def _literal_pattern(literal: str) -> re.Pattern[str]:
    """Match a literal in which NUL stands for the call id the model makes up."""
    # The id is nine letters or digits, which the model makes up.
    return re.compile("[a-zA-Z0-9]{9}".join(map(re.escape, literal.split("\0"))))


class _BracketDepth:
    """Bracket depth in a streamed JSON object."""

    def __init__(self) -> None:
        self._depth, self._in_string, self._is_escaped = 0, False, False
        self.is_over = False

    def end_of(self, text: str) -> int:
        """Return where the object ends in the next piece; the piece's length if it doesn't."""
        for place, character in enumerate(text):
            self._count_character(character)
            if self._depth == 0 and not self._in_string:
                self.is_over = True
                return place + 1
        return len(text)

    def _count_character(self, character: str) -> None:
        if self._in_string:
            self._in_string = self._is_escaped or character != '"'
            self._is_escaped = character == "\\" and not self._is_escaped
        # A bracket in a text counts for nothing.
        elif character == '"':
            self._in_string, self._is_escaped = True, False
        elif character in "{[":
            self._depth += 1
        elif character in "}]":
            self._depth -= 1
