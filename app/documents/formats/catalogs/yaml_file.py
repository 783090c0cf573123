"""YAML: its strings that are language; keys, anchors, tags, comments, numbers and all layout stay as they are.

A file for one language, whose only key at the top is the code of it, as Rails has them, gets the code of the target.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import yaml

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.formats.catalogs.values import is_page, is_prose, key_of, renamed_locale, shown_value, tagged
from app.documents.formats.plain.line_wrapping import width_of, wrapped
from app.documents.formats.plain.plain_text import pieces
from app.documents.segments import SegmentKind, content_of
from app.documents.source import FileSource, SegmentVisits, TargetLanguage, Visit
from app.documents.text_file import TextFile


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite strings of a YAML file. Raises DocumentUnreadable if it isn't YAML."""
    file, visits = TextFile(source), SegmentVisits(visit)
    tops = list[YamlScalar]()
    for place in places(file.text, str(source.path)):
        if not place.is_key:
            put_value(file, 0, place, visits)
        elif not place.path:
            tops.append(place)
    # Rails: one language a file, under its code.
    if target is not None and len(tops) == 1:
        _rename_language(file, tops[0], target)
    if out is not None:
        file.write(out)


def put_value(file: TextFile, offset: int, place: YamlScalar, visits: SegmentVisits) -> None:
    """Visit a string and write its translation; `offset` is where the YAML begins in the file."""
    key = key_of(place.path)
    if not is_prose(place.value, key):
        return
    context = ".".join(place.path)
    # In a literal block the line ends are text, so that paragraphs and items are told apart there.
    if place.style == "|" and not is_page(place.value, key):
        new = _translate_literal(place.value, visits, context)
    else:
        new = shown_value(place.value, visits, context, key=key)
    if new is not None:
        start, end = place.start + offset, place.end + offset
        file.replace(start, end, written_scalar(file.text[start:end], place, new))


def _translate_literal(value: str, visits: SegmentVisits, context: str) -> str | None:
    """Return a text whose lines count: paragraphs and items, whose inner line ends are marks."""
    changes = list[tuple[int, int, str]]()
    for part in pieces(value):
        if part.kind is None:
            continue
        message = tagged("\n".join(line.text for line in part.lines), has_breaks=True)
        kind = part.kind if part.kind is SegmentKind.LIST_ITEM else SegmentKind.VALUE
        new = visits(message.content, kind, context=context)
        if new is not None:
            # Line ends in the new words would become lines of another number than the old ones.
            words = content_of([" ".join(part.split("\n")) if isinstance(part, str) else part for part in new])
            lines = message.text_of(words).split("\n")
            changes += [(old.start, old.end, line.strip()) for old, line in zip(part.lines, lines, strict=True)]
    # From the last to the first, so that offsets before a change hold.
    for start, end, line in reversed(changes):
        value = value[:start] + line + value[end:]
    return value if changes else None


def _rename_language(file: TextFile, top: YamlScalar, target: TargetLanguage) -> None:
    """Rename a top-level language code with content below it."""
    raw = file.text[top.start : top.end]
    new = renamed_locale(top.value, target.language)
    # Only with something below it: a scalar "de: …" at the top is a message under that key.
    if new and re.match(r"['\"]?[ \t]*:[ \t]*(?:[#&!][^\r\n]*)?[\r\n]", file.text[top.end :]):
        # YAML 1.1 reads a bare "no" as false: Norway's problem.
        quote = "'" if raw[:1] not in "'\"" and new in ("no", "on", "yes", "off", "y", "n") else ""
        file.replace(top.start, top.end, raw.replace(top.value, f"{quote}{new}{quote}"))


MOST_DEPTH = 500
# libyaml's is some ten times as fast, where PyYAML was built with it.
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = yaml.resolver.Resolver()
_STR = "tag:yaml.org,2002:str"


class YamlScalar(NamedTuple):
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


class _YamlLevel:
    """An open mapping or sequence; keys and values take turns in a mapping."""

    def __init__(self, is_mapping: bool, is_flow: bool) -> None:
        self.is_mapping, self.is_flow = is_mapping, is_flow
        self.key: str | None = None
        self.index = -1
        self._at_key = True

    def begin(self) -> bool:
        """Count the node that begins, and return whether it is a key."""
        if not self.is_mapping:
            self.index += 1
            return False
        is_key, self._at_key = self._at_key, not self._at_key
        return is_key

    @property
    def name(self) -> str:
        return self.key or "" if self.is_mapping else str(self.index)


def places(text: str, path: str) -> Iterator[YamlScalar]:
    """Yield the scalars that are strings, in order; raises DocumentUnreadable: damaged or too_deep. `path` is for
    that.
    """
    try:
        yield from _iterate_scalars(text, path)
    except yaml.YAMLError:
        raise DocumentUnreadable(path, "damaged") from None


def _iterate_scalars(text: str, path: str) -> Iterator[YamlScalar]:
    levels: list[_YamlLevel] = []
    # Events only: building objects would follow aliases, which a "billion laughs" needs.
    for event in yaml.parse(text, _PARSER):
        if isinstance(event, yaml.CollectionEndEvent):
            levels.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        is_key = levels[-1].begin() if levels else False
        if isinstance(event, yaml.CollectionStartEvent):
            levels.append(_YamlLevel(isinstance(event, yaml.MappingStartEvent), bool(event.flow_style)))
            if len(levels) > MOST_DEPTH:
                raise DocumentUnreadable(path, "too_deep")
        elif isinstance(event, yaml.ScalarEvent):
            if is_key:
                levels[-1].key = event.value
            if is_key or _is_text(event):
                names = tuple(level.name for level in (levels[:-1] if is_key else levels))
                is_flow = any(level.is_flow for level in levels)
                start, end = event.start_mark.index, event.end_mark.index
                yield YamlScalar(start, end, event.value, event.style or "", names, is_key, is_flow)


def _is_text(event: yaml.ScalarEvent) -> bool:
    # An explicit tag such as !!binary or !ruby/object is for programs.
    if event.tag not in (None, "!", _STR):
        return False
    if event.style or event.tag is not None:
        return True
    # A plain scalar is a string only if no rule of YAML 1.1 makes it a number, a date, a truth or null.
    return bool(_RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False)) == _STR)


def reads_as(text: str, value: str) -> bool:
    """Return whether a YAML text has exactly one string besides keys and numbers, with this value."""
    try:
        found = list(_iterate_scalars(text, ""))
    except (yaml.YAMLError, DocumentUnreadable):
        return False
    return [place.value for place in found if not place.is_key] == [value]


# Anchors (&a) and tags (!t) stand before a value and stay.
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_BREAK = re.compile(r"\r\n|\r|\n")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_ESCAPED = re.compile('[\\\\"\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]')


def written_scalar(raw: str, place: YamlScalar, new: str) -> str:
    """Return the source of a new value; `raw` is the old source with anchor and tag."""
    properties = _PROPERTIES.match(raw)[0] if raw[:1] in ("&", "!") else ""  # type: ignore[index]
    if place.style in ("|", ">"):
        block = _BlockString(raw, place.value)
        body = block.literal(new) if place.style == "|" else block.folded(new)
        # Tried instead of derived: block scalars have more rules of indentation than can be listed.
        if body and reads_as(f"- {body}", new):
            return body
        # The line end that a block scalar ends with has to stay behind a quoted one.
        return properties + _double_quoted(new, raw) + raw[len(raw.rstrip()) :]
    # A plain scalar may stay plain, if that still reads as the same string.
    forms = {"'": [_single_quoted(new)], '"': []}.get(place.style, [new, _single_quoted(new)])
    fitting = (form for form in forms if _parses_back(form, place, new))
    return properties + next(fitting, _double_quoted(new, raw))


def _single_quoted(new: str) -> str:
    return "'" + new.replace("'", "''") + "'"


def _parses_back(form: str, place: YamlScalar, new: str) -> bool:
    """Return whether the form parses to the value, also next to a key and before a comment."""
    # Line ends and tabs inside of quotes are folded by YAML.
    if re.search("[\t\r\n\x85\u2028\u2029]", form):
        return False
    # What is a string in one place may be a number, a key or a comment in another: it is tried where it could stand.
    # In brackets, behind a key, before a comment, and as a key's value.
    frames = ("[{}]", "[{}, 1]") if place.is_flow else ("{}\n", "- {} # c\n", "- 1: {}\n")
    return all(reads_as(frame.replace("{}", form), new) for frame in frames)


def _double_quoted(new: str, raw: str) -> str:
    """Return a double-quoted scalar, which can hold anything. Non-ASCII letters are escaped if they were."""
    text = _ESCAPED.sub(lambda found: _ESCAPES.get(found[0]) or _escape_letter(found[0]), new)
    # All letters beyond ASCII were escaped, as PyYAML does by default.
    is_ascii = raw.isascii() and re.search(r"\\u[0-9A-Fa-f]{4}|\\x[89A-Fa-f]", raw) is not None
    if is_ascii:
        text = "".join(letter if letter.isascii() else _escape_letter(letter) for letter in text)
    return f'"{text}"'


def _escape_letter(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class _BlockString:
    """A literal or folded string: a header, and lines that are all indented."""

    def __init__(self, raw: str, value: str) -> None:
        self._raw = raw
        newline = _BREAK.search(raw)
        self._newline = newline[0] if newline is not None else "\n"
        lines = _BREAK.split(raw)
        filled = [number for number, line in enumerate(lines) if number and line.strip(" ")]
        self._head = lines[: filled[0]] if filled else lines
        self._tail = lines[filled[-1] + 1 :] if filled else []
        self._lines = lines[filled[0] : filled[-1] + 1] if filled else []
        first = next((line for line in value.split("\n") if line.strip(" ")), "")
        # The first line may be indented more by itself; the block's own indent is what is left.
        own = len(first) - len(first.lstrip(" "))
        self._indent = len(self._lines[0]) - len(self._lines[0].lstrip(" ")) - own if self._lines else 0

    def literal(self, new: str) -> str:
        """Return the literal block with these lines; "" where the old block has no indent to go by."""
        return self._join_lines([" " * self._indent + line if line else "" for line in new.strip("\n").split("\n")])

    def folded(self, new: str) -> str:
        """Return a folded block, wrapped at the old width; "" if impossible."""
        indent, width = " " * self._indent, max(map(width_of, self._lines), default=0)
        lines = list[str]()
        for number, line in enumerate(new.strip("\n").split("\n")):
            # In a folded block a line that begins with a space is not folded.
            if line.startswith((" ", "\t")):
                return ""
            # An empty line is a line end in a folded block.
            if number:
                lines.append("")
            lines += wrapped(line, indent, indent, width) if line else []
        return self._join_lines(lines)

    def _join_lines(self, lines: list[str]) -> str:
        if not self._lines or not self._indent:
            return ""
        return self._newline.join([*self._head, *lines, *self._tail])
