"""Requests whose right call is known, and whether a call is that one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.core.lazy_dataclasses import dataclass, field
from app.core.paths import resource_path
from app.features.tool_calls import ToolFunction

FILE = "tool_requests.json"
ANYTHING = "*"
"""An accepted value that any other one is as good as."""
_DIVIDED = re.compile(r"(?<=\d)[, _](?=\d{3}(?!\d))")


@dataclass(frozen=True)
class ScoreRequest:
    """What a person asks, and the right tool, "" for none.

    `arguments` has accepted values of each argument: a value as JSON has it; null where it may be left out; `ANYTHING`;
    or {"has": [...]}, a text with each of these in it, of which "a|b" is either.
    """

    text: str
    tool: str = ""
    arguments: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def accepts(self, arguments: Mapping[str, Any]) -> bool:
        """Return whether these are right: each is accepted, none is missing, and nothing else is given."""
        names = self.arguments.keys() | arguments.keys()
        return all(_is_accepted(arguments.get(name), self.arguments.get(name, (None,))) for name in names)


def _is_accepted(given: Any, accepted: Sequence[Any]) -> bool:
    return any(option == ANYTHING or _is_same(given, option) for option in accepted)


def _is_same(given: Any, option: Any) -> bool:
    """Compare as a person would: texts without case, numbers as numbers whether written as text or not."""
    if isinstance(option, Mapping):
        text = _plain_text(given)
        return all(any(part in text for part in parts.split("|")) for parts in option["has"])
    if isinstance(option, bool) or given is None or option is None:
        return given is option
    number = _number_of(option)
    return _number_of(given) == number if number is not None else _plain_text(given) == _plain_text(option)


def _plain_text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(_DIVIDED.sub("", text).casefold().split()).strip(" .!?\"'")


def _number_of(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(_DIVIDED.sub("", value) if isinstance(value, str) else value)
    except ValueError:
        return None


@lru_cache(maxsize=1)
def score_tools() -> tuple[ToolFunction, ...]:
    """Return the tools that all requests are made with, shaped like the program's own and usual others."""
    tools = json.loads(resource_path(FILE).read_text("utf-8"))["tools"]
    return tuple(ToolFunction(tool["name"], tool["description"], tool["parameters"]) for tool in tools)


def score_requests(path: Path | None = None) -> list[ScoreRequest]:
    """Return the fixed requests that models are scored by, or those of another file."""
    requests = json.loads((path or resource_path(FILE)).read_text("utf-8"))["requests"]
    return [ScoreRequest(**request) for request in requests]
