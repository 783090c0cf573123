"""Functions that a model may call: how they are told to it, what it may write, and its calls while they come.

A call is one JSON object a line, ``{"name": …, "arguments": …}``, held to each function's own schema by a grammar, so
that it cannot be malformed. This needs nothing of a model's template, so every model that chats can be asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_CALLS = 8
"""In one answer: a small model would otherwise go on calling."""
MOST_NODES = 20_000


@dataclass(frozen=True)
class Tool:
    """One function. `parameters` is a JSON schema of an object, or true for anything."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] | bool = field(default_factory=dict)


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
class Words:
    """The next piece of an answer in words."""

    piece: str


Told = CallBegins | CallArguments | Words


def instructions_for(tools: Sequence[Tool], *, must_call: bool) -> str:
    """What is put behind the instructions of the chat."""
    lines = [
        "You can call functions. A call is one line of JSON and nothing else:",
        '{"name": "the function", "arguments": {…}}',
        "The functions, with JSON schemas of their arguments:",
        *(_described(tool) for tool in tools),
    ]
    lines.append("Call a function now." if must_call else "When no function is needed, answer in words.")
    return "\n".join(lines)


def _described(tool: Tool) -> str:
    told = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return json.dumps({key: value for key, value in told.items() if value != ""}, ensure_ascii=False)


def schema_for(tools: Sequence[Tool]) -> str:
    """A JSON schema of one call, as text. Raises ValueError for a reference to nothing."""
    return json.dumps({"anyOf": [_schema_of(number, tool) for number, tool in enumerate(tools)]})


def _schema_of(number: int, tool: Tool) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"name": {"const": tool.name}, "arguments": _arguments_of(tool)},
        "required": ["name", "arguments"],
        "title": f"call{number}",
    }


def _arguments_of(tool: Tool) -> dict[str, Any]:
    if not isinstance(tool.parameters, Mapping) or not tool.parameters:
        return {"type": "object"}
    root = {key: value for key, value in tool.parameters.items() if key not in ("$defs", "definitions")}
    return {"type": "object", **_Inlined(tool.parameters).of(root)}


class _Inlined:
    """A schema whose references into itself are replaced by what they name; inside of that again, anything goes."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root, self._nodes = root, 0

    def of(self, node: Any, inside: tuple[str, ...] = ()) -> Any:
        """Raises ValueError for a reference to nothing, and for a schema that becomes too large."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise ValueError("the schema becomes too large when its references are followed")
        if isinstance(node, list):
            return [self.of(each, inside) for each in node]
        if not isinstance(node, Mapping):
            return node
        reference = node.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return {key: self.of(value, inside) for key, value in node.items()}
        return {} if reference in inside else self.of(self._named(reference), (*inside, reference))

    def _named(self, reference: str) -> Any:
        found: Any = self._root
        for part in reference.strip("#/").split("/") if reference.strip("#/") else ():
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or name not in found:
                raise ValueError(f"the schema has nothing at {reference}")
            found = found[name]
        return found


def grammar_for(*, must_call: bool, several: bool) -> str:
    """GBNF around the rule `schema`, which is one call; where none must come, also words that look like none."""
    calls = f'schema ("\\n" schema){{0,{MOST_CALLS - 1}}}' if several else "schema"
    words = "" if must_call else " | words"
    return f"root ::= {calls}{words}\nwords ::= [^{{ \\t\\r\\n] [^\\x00]*\n"


_BEGINNING = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\{)')


class CallReader:
    """Tells calls from words in an answer that is being written, character by character, whatever the pieces are."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "begin"
        self._number = -1
        self._depth = 0
        self._in_string = self._is_escaped = False

    @property
    def calls(self) -> int:
        """How many have begun."""
        return self._number + 1

    def read(self, piece: str) -> Iterator[Told]:
        """What a new piece of the answer says."""
        self._held += piece
        while self._held:
            before = self._held, self._state
            yield from {"begin": self._begin, "words": self._words, "arguments": self._arguments, "end": self._end}[
                self._state
            ]()
            if (self._held, self._state) == before:
                return

    def close(self) -> Iterator[Told]:
        """The answer has ended: what was held back because it could have become a call are words."""
        if self._held and self._state == "begin":
            held, self._held = self._held, ""
            yield Words(held)

    def _begin(self) -> Iterator[Told]:
        if self._number < 0 and self._held.lstrip()[:1] not in ("", "{"):
            self._state = "words"
            return
        found = _BEGINNING.match(self._held)
        if found is None:
            return
        self._number += 1
        self._held, self._state = self._held[found.end() :], "arguments"
        self._depth, self._in_string = 0, False
        yield CallBegins(self._number, json.loads(found[1]))

    def _words(self) -> Iterator[Told]:
        held, self._held = self._held, ""
        yield Words(held)

    def _arguments(self) -> Iterator[Told]:
        """They are an object, which ends with the bracket that closes it."""
        for place, character in enumerate(self._held):
            self._step(character)
            if self._depth == 0 and not self._in_string:
                piece, self._held, self._state = self._held[: place + 1], self._held[place + 1 :], "end"
                yield CallArguments(self._number, piece)
                return
        held, self._held = self._held, ""
        yield CallArguments(self._number, held)

    def _step(self, character: str) -> None:
        if self._in_string:
            self._in_string = self._is_escaped or character != '"'
            self._is_escaped = character == "\\" and not self._is_escaped
        elif character == '"':
            self._in_string, self._is_escaped = True, False
        elif character in "{[":
            self._depth += 1
        elif character in "}]":
            self._depth -= 1

    def _end(self) -> Iterator[Told]:
        place = self._held.find("}")
        if place >= 0:
            self._held, self._state = self._held[place + 1 :], "begin"
        else:
            self._held = ""
        return iter(())
