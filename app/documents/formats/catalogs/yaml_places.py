"""The texts of a YAML file with their places, found by the parser's events: no alias is followed, nothing is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from app.core.errors import DocumentUnreadable

MOST_DEPTH = 500
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = yaml.resolver.Resolver()
_STR = "tag:yaml.org,2002:str"


class Place(NamedTuple):
    """A scalar: where it is with its anchor and tag, its value, its style ("" plain, or ' " | >), its keys from above.

    `is_key` tells keys; `is_flow`: within brackets or braces.
    """

    start: int
    end: int
    value: str
    style: str
    path: tuple[str, ...]
    is_key: bool
    is_flow: bool


class _Level:
    """An open mapping or sequence."""

    def __init__(self, is_mapping: bool, is_flow: bool) -> None:
        self.is_mapping, self.is_flow = is_mapping, is_flow
        self.key: str | None = None
        self.index = -1
        self._at_key = True

    def begin(self) -> bool:
        """The next node begins; whether it is a key."""
        if not self.is_mapping:
            self.index += 1
            return False
        is_key, self._at_key = self._at_key, not self._at_key
        return is_key

    @property
    def name(self) -> str:
        """Where its present value stands in it."""
        return self.key or "" if self.is_mapping else str(self.index)


def places(text: str, path: str) -> Iterator[Place]:
    """The scalars that are strings, in order; raises DocumentUnreadable: damaged or too_deep. `path` is for that."""
    try:
        yield from _places(text, path)
    except yaml.YAMLError:
        raise DocumentUnreadable(path, "damaged") from None


def _places(text: str, path: str) -> Iterator[Place]:
    levels: list[_Level] = []
    for event in yaml.parse(text, _PARSER):
        if isinstance(event, yaml.CollectionEndEvent):
            levels.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        is_key = levels[-1].begin() if levels else False
        if isinstance(event, yaml.CollectionStartEvent):
            levels.append(_Level(isinstance(event, yaml.MappingStartEvent), bool(event.flow_style)))
            if len(levels) > MOST_DEPTH:
                raise DocumentUnreadable(path, "too_deep")
        elif isinstance(event, yaml.ScalarEvent):
            if is_key:
                levels[-1].key = event.value
            if is_key or _is_text(event):
                names = tuple(level.name for level in (levels[:-1] if is_key else levels))
                is_flow = any(level.is_flow for level in levels)
                start, end = event.start_mark.index, event.end_mark.index
                yield Place(start, end, event.value, event.style or "", names, is_key, is_flow)


def _is_text(event: yaml.ScalarEvent) -> bool:
    if event.tag not in (None, "!", _STR):
        return False
    if event.style or event.tag is not None:
        return True
    return bool(_RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False)) == _STR)


def reads_as(text: str, value: str) -> bool:
    """Whether a text in YAML has one string, beside keys and numbers, and it has this value."""
    try:
        found = list(_places(text, ""))
    except (yaml.YAMLError, DocumentUnreadable):
        return False
    return [place.value for place in found if not place.is_key] == [value]
