"""Calls that a model writes without the tags of its template: bare, in a fence, in a list, or one after the other.

An answer that is nothing else than such calls is held back while it can still become that, and not a moment longer:
text that begins with a letter leaves at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Protocol

from app.core.events import FunctionCall
from app.core.lazy_dataclasses import dataclass
from app.engine.protocol import MOST_CALLS
from app.features.tool_calls import (
    CallArguments,
    CallBegins,
    CallWords,
    Told,
    ToolFunction,
    arguments_schema,
    parse_arguments,
)

MOST_NOTED_CHARACTERS = 4_000
MOST_HELD_CHARACTERS = 200_000
"""Of an answer that may still become calls: more than that is text."""
FENCES = ("", "json", "jsonc", "text", "plaintext", "xml", "tool_call", "tool_calls", "tool_code")
TAGS = tuple(
    f"<{slash}{name}>"
    for name in ("tool_call", "tool_calls", "tool", "tools", "function_call", "function_calls", "functioncall")
    for slash in ("", "/")
)
"""Of other models' templates, which a model may have read about."""
CALL_KEYS = ("name", "function", "arguments", "parameters", "type", "id")
_BETWEEN = re.compile(r"[\s,;\[\]]*")
_BEHIND = re.compile(r"[\s,;\[\]}]*")
"""A model that opens with two brackets closes with two."""
_FENCE = re.compile(r"```([\w-]*)")
_KEY = re.compile(r'\s*"(\w*)"\s*:\s*')
_OPEN_TEXT = re.compile(r'"(\w+)"\s*:\s*"((?:[^"\\]|\\.)*+)\Z', re.DOTALL)
"""A key whose text has no end so far."""
_BEGUN_KEY = re.compile(r'\s*(?:"(\w*)"?\s*)?:?\s*')
_JSON = json.JSONDecoder(strict=False)


class CallScan(Enum):
    """State of a text so far: calls, words, or undecided."""

    OPEN = "open"
    """It may still become calls."""
    WORDS = "words"
    CALLS = "calls"


@dataclass(frozen=True)
class WrittenCall:
    """A call as a model wrote it; `arguments` None if it gave none."""

    name: str
    arguments: Any


def parse_calls(text: str) -> tuple[CallScan, tuple[WrittenCall, ...]]:
    """Classify a text and return its complete calls."""
    at, calls = 0, list[WrittenCall]()
    while True:
        # Behind a call brackets may close more than was opened, which small models do.
        at = _match_end(_BEHIND if calls else _BETWEEN, text, at)
        if at == len(text):
            return (CallScan.CALLS if calls else CallScan.OPEN), tuple(calls)
        if text[at] != "{":
            if (end := _mark_end(text, at)) is None:
                return CallScan.OPEN if _may_become_mark(text[at:]) else CallScan.WORDS, tuple(calls)
            at = end
            continue
        # Two braces, as in the templates of some prompts; the second begins the object.
        at += text.startswith("{{", at)
        try:
            value, end = _JSON.raw_decode(text, at)
        except (ValueError, RecursionError):
            return CallScan.OPEN if _may_become_call(text, at) else CallScan.WORDS, tuple(calls)
        if (call := _call_of(value)) is None:
            return CallScan.WORDS, tuple(calls)
        calls.append(call)
        at = end


def _match_end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found is not None else at


def _mark_end(text: str, at: int) -> int | None:
    """Return the end of a fence or tag starting here; None if there is none."""
    if (fence := _FENCE.match(text, at)) is not None:
        # A fence's name may go on with the next piece.
        return fence.end() if (fence[1] in FENCES and fence.end() < len(text)) or fence[0] == "```" else None
    tag = next((tag for tag in TAGS if text.startswith(tag, at)), None)
    return at + len(tag) if tag is not None else None


def _may_become_mark(text: str) -> bool:
    return any(mark.startswith(text) for mark in (*TAGS, *(f"```{name}" for name in FENCES)))


def _may_become_call(text: str, at: int) -> bool:
    """Return whether an incomplete object has only keys of a call so far."""
    at += 1
    while True:
        # The key isn't whole yet: it has to begin one of a call's.
        if (key := _KEY.match(text, at)) is None:
            begun = _BEGUN_KEY.fullmatch(text, at)
            return begun is not None and any(name.startswith(begun[1] or "") for name in CALL_KEYS)
        if key[1] not in CALL_KEYS:
            return False
        try:
            _, at = _JSON.raw_decode(text, key.end())
        except (ValueError, RecursionError):
            # The value isn't whole; it may still become anything.
            return True
        if (at := _match_end(_SPACE, text, at)) == len(text):
            return True
        if text[at] != ",":
            return False
        at += 1


_SPACE = re.compile(r"\s*")


def _call_of(value: Any) -> WrittenCall | None:
    # An object with any other key is an answer in JSON.
    if not isinstance(value, dict) or not set(value) <= set(CALL_KEYS):
        return None
    inner = value.get("function")
    # OpenAI's form wraps the call once more.
    if isinstance(inner, dict):
        return _call_of(inner)
    name = value.get("name", inner)
    if not isinstance(name, str) or not name:
        return None
    arguments = value.get("arguments", value.get("parameters"))
    # Arguments as a text of JSON, as in OpenAI's answers.
    return WrittenCall(name, parse_arguments(arguments) if isinstance(arguments, str) else arguments)


class CallDetector(Protocol):
    """Separates tool calls from text in a streamed answer."""

    def read(self, piece: str) -> Iterator[Told]:
        """Yield the events of the next piece."""

    def close(self) -> Iterator[Told]:
        """Yield what was held back."""

    @property
    def unread(self) -> str:
        """What began a call and could not be read as one, after `close`."""


class WordsReader:
    """Treats everything as text."""

    unread = ""

    def read(self, piece: str) -> Iterator[Told]:
        yield CallWords(piece)

    def close(self) -> Iterator[Told]:
        return iter(())


class UntaggedCallReader:
    """Read an answer that consists only of calls, in whatever notation; leave any other to `inner`.

    After `close`, `rejected` has calls that can't be carried out and weren't reported: names of offered functions
    with wrong arguments, or () if text was wanted instead.
    """

    def __init__(
        self,
        tools: Sequence[ToolFunction],
        inner: CallDetector,
        *,
        begins: str,
        several: bool,
        takes_json: bool,
        answered: Sequence[FunctionCall] = (),
        drops_unknown: bool = False,
        escape: str = "",
    ) -> None:
        """`begins` is what `inner` reads as a call; `takes_json`: JSON that is no valid call is an answer;
        `drops_unknown`: arguments that a function does not have are left out, as a grammar would have done; `escape`:
        an answer that is this sentence is rejected as if text was wanted instead.

        `answered` are the calls whose results have just come. A small model that was not taught to call makes the very
        same ones again, without end.
        """
        self._answered = [WrittenCall(call.name, parse_arguments(call.arguments)) for call in answered]
        self._tools = {tool.name: tool for tool in tools}
        self._inner, self._begins, self._several, self._takes_json = inner, begins, several, takes_json
        self._held, self._parse, self._calls = "", CallScan.OPEN, tuple[WrittenCall, ...]()
        self._words = ""
        self._drops_unknown, self._escape = drops_unknown, escape
        self.rejected: tuple[str, ...] | None = None

    @property
    def is_holding(self) -> bool:
        """True while the answer could still be calls."""
        return self._parse is not CallScan.WORDS

    @property
    def is_overlong(self) -> bool:
        """True once a text is being written that is longer than its function allows: it may be without end."""
        names = self._begun_names() if self.is_holding else []
        text = _OPEN_TEXT.search(self._held) if names else None
        if text is None:
            return False
        properties = arguments_schema(self._tools[names[-1]]).get("properties", {})
        schema = properties.get(text[1]) if isinstance(properties, Mapping) else None
        most = schema.get("maxLength") if isinstance(schema, Mapping) else None
        return isinstance(most, int) and len(text[2]) > most

    @property
    def named(self) -> tuple[str, ...]:
        """The functions that an answer in words names as such, in place of calling one; after `close`.

        None if it asks something back.
        """
        if self._words.rstrip().endswith("?"):
            return ()
        return tuple(name for name in self._tools if _name_pattern(name).search(self._words))

    @property
    def is_refusal(self) -> bool:
        """True if the answer is that no function fits; after `close`."""
        return bool(self._escape) and self.rejected == () and self._held.strip() == self._escape

    @property
    def written_calls(self) -> tuple[WrittenCall, ...]:
        """The whole calls of an answer that is nothing else, whether they can be carried out or not."""
        return self._calls

    @property
    def unread(self) -> str:
        """What was held back as a rejected call, or began one that `inner` could not read; after `close`."""
        return self._held if self.rejected is not None else self._inner.unread

    def read(self, piece: str) -> Iterator[Told]:
        """Yield the events of the next piece; nothing while it may still become calls."""
        if self._parse is CallScan.WORDS:
            yield from self._note_words(self._inner.read(piece))
            return
        self._held += piece
        if self._escape and self._escape.startswith(self._held.strip()):
            return
        self._parse, self._calls = parse_calls(self._held)
        begun = self._held.lstrip()
        # The template's own way begins: its reader takes over.
        if (self._begins and begun.startswith(self._begins)) or len(self._held) > MOST_HELD_CHARACTERS:
            self._parse = CallScan.WORDS
        if self._parse is CallScan.WORDS:
            held, self._held = self._held, ""
            yield from self._note_words(self._inner.read(held))

    def _note_words(self, told: Iterator[Told]) -> Iterator[Told]:
        for event in told:
            # The end is enough, and a call ends the words.
            self._words = (self._words + event.piece)[-MOST_NOTED_CHARACTERS:] if isinstance(event, CallWords) else ""
            yield event

    def close(self) -> Iterator[Told]:
        """End the answer: report valid calls, else what was held back, unless it is rejected."""
        if self._parse is CallScan.WORDS:
            yield from self._inner.close()
            return
        if self._escape and self._held.strip() == self._escape:
            self.rejected = ()
            return
        calls = [call for call in self._calls if call.name in self._tools]
        wrong = tuple(dict.fromkeys(call.name for call in calls if not self._is_valid(call)))
        # The very same calls whose results have just come: a small model would go on like that without end.
        if calls and all(call in self._answered for call in calls):
            self.rejected = ()
        elif calls and not wrong and self._parse is CallScan.CALLS:
            # A client that allows one call gets the first.
            for number, call in enumerate(calls[: MOST_CALLS if self._several else 1]):
                yield CallBegins(number, call.name)
                yield CallArguments(number, json.dumps(self._known_arguments(call), ensure_ascii=False))
        elif not self._takes_json and self._is_attempt():
            # Tried to call, wrongly: asked again, held to these functions.
            self.rejected = wrong or tuple(dict.fromkeys([*(call.name for call in calls), *self._begun_names()]))
        else:
            yield from self.release()

    def release(self) -> Iterator[Told]:
        """Pass what is held back to `inner`."""
        held, self._held, self._parse, self.rejected = self._held, "", CallScan.WORDS, None
        if held:
            yield from self._inner.read(held)
        yield from self._inner.close()

    def _is_valid(self, call: WrittenCall) -> bool:
        return fits_schema({} if call.arguments is None else call.arguments, self._tools[call.name])

    def _known_arguments(self, call: WrittenCall) -> Mapping[str, Any]:
        given, schema = call.arguments or {}, arguments_schema(self._tools[call.name])
        known = schema.get("properties")
        # Where a schema says nothing of others, small models make some up, and people's tools fail by them.
        if not self._drops_unknown or not isinstance(known, Mapping) or "additionalProperties" in schema:
            return given
        return {name: value for name, value in given.items() if name in known}

    def _is_attempt(self) -> bool:
        """Return whether it was meant as a call: one that ended without arguments is just a name."""
        # A name alone is no attempt: it may be the answer.
        if any(call.arguments is not None for call in self._calls):
            return True
        return self._parse is CallScan.OPEN and re.search(r'"(?:arguments|parameters)"\s*:', self._held) is not None

    def _begun_names(self) -> list[str]:
        """Return offered functions named in invalid JSON."""
        return [name for name in re.findall(r'"name"\s*:\s*"([^"]*)"', self._held) if name in self._tools]


@lru_cache(maxsize=256)
def _name_pattern(name: str) -> re.Pattern[str]:
    """Match a function's name in words; one that may be a usual word only in quotes or with a bracket."""
    exact = re.escape(name)
    return re.compile(rf"(?<!\w){exact}(?!\w)" if "_" in name else rf"[`\"']{exact}[`\"'(]|(?<!\w){exact}\(")


def fits_schema(arguments: Any, function: ToolFunction) -> bool:
    """Return whether a function can be called with these arguments; of a schema that is none itself, with any object.

    Unknown arguments are no fault.
    """
    if not isinstance(arguments, dict):
        return False
    try:
        return matches_schema(arguments, arguments_schema(function))
    except (TypeError, ValueError, AttributeError, OverflowError):
        return True


def matches_schema(value: Any, schema: Any) -> bool:
    """Return whether a JSON value matches a schema without references.

    Unknown keywords allow anything. So do patterns: a client's regular expression could run forever.
    """
    if not isinstance(schema, Mapping):
        return schema is not False
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return (
        value in schema.get("enum", (value,))
        and value == schema.get("const", value)
        and (not kinds or any(_has_type(value, kind) for kind in kinds))
        and any(matches_schema(value, option) for option in schema.get("anyOf", (True,)))
        and any(matches_schema(value, option) for option in schema.get("oneOf", (True,)))
        and all(matches_schema(value, part) for part in schema.get("allOf", ()))
        and _matches_kind(value, schema)
    )


def _matches_kind(value: Any, schema: Mapping[str, Any]) -> bool:
    """Check the keywords for values of this type."""
    match value:
        case bool() | None:
            return True
        case dict():
            return _matches_object(value, schema)
        case list():
            items = schema.get("items", True)
            return _is_within(len(value), schema, "minItems", "maxItems") and all(
                matches_schema(item, items) for item in value
            )
        case str():
            return _is_within(len(value), schema, "minLength", "maxLength")
    return _is_within(value, schema, "minimum", "maximum")


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
}


def _has_type(value: Any, kind: object) -> bool:
    # True is an int in Python, not in JSON.
    if kind in ("number", "integer"):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and (kind == "number" or value == int(value))
    return isinstance(value, _TYPES.get(str(kind), object))


def _matches_object(value: dict[str, Any], schema: Mapping[str, Any]) -> bool:
    properties, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    if any(name not in value for name in schema.get("required", ())):
        return False
    return all(matches_schema(inner, properties.get(name, more)) for name, inner in value.items())


def _is_within(number: float, schema: Mapping[str, Any], least: str, most: str) -> bool:
    low, high = schema.get(least), schema.get(most)
    return (low is None or number >= low) and (high is None or number <= high)
