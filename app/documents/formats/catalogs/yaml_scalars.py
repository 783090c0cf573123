"""Writes a string into the place of another in a YAML file, in the same style where that can hold it."""

from __future__ import annotations

import re

from app.documents.formats.catalogs.yaml_places import Place, reads_as
from app.documents.formats.plain.wrapping import width_of, wrapped

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_BREAK = re.compile(r"\r\n|\r|\n")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_ESCAPED = re.compile('[\\\\"\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]')


def written(raw: str, place: Place, new: str) -> str:
    """What stands for a new value; `raw` is what stands for the old one, with its anchor and tag."""
    properties = _PROPERTIES.match(raw)[0] if raw[:1] in ("&", "!") else ""  # type: ignore[index]
    if place.style in ("|", ">"):
        block = _Block(raw, place.value)
        body = block.literal(new) if place.style == "|" else block.folded(new)
        if body and reads_as(f"- {body}", new):
            return body
        return properties + _double(new, raw) + raw[len(raw.rstrip()) :]
    forms = {"'": [_single(new)], '"': []}.get(place.style, [new, _single(new)])
    fitting = (form for form in forms if _holds(form, place, new))
    return properties + next(fitting, _double(new, raw))


def _single(new: str) -> str:
    return "'" + new.replace("'", "''") + "'"


def _holds(form: str, place: Place, new: str) -> bool:
    """Whether it is read as the value, beside a key and before a comment too."""
    if re.search("[\t\r\n\x85\u2028\u2029]", form):
        return False
    frames = ("[{}]", "[{}, 1]") if place.is_flow else ("{}\n", "- {} # c\n", "- 1: {}\n")
    return all(reads_as(frame.replace("{}", form), new) for frame in frames)


def _double(new: str, raw: str) -> str:
    """Holds anything. Letters beyond ASCII are escaped where they were."""
    text = _ESCAPED.sub(lambda found: _ESCAPES.get(found[0]) or _code(found[0]), new)
    is_ascii = raw.isascii() and re.search(r"\\u[0-9A-Fa-f]{4}|\\x[89A-Fa-f]", raw) is not None
    return '"' + ("".join(each if each.isascii() else _code(each) for each in text) if is_ascii else text) + '"'


def _code(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class _Block:
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
        own = len(first) - len(first.lstrip(" "))
        self._indent = len(self._lines[0]) - len(self._lines[0].lstrip(" ")) - own if self._lines else 0

    def literal(self, new: str) -> str:
        """ "" where it cannot be."""
        return self._whole([" " * self._indent + line if line else "" for line in new.strip("\n").split("\n")])

    def folded(self, new: str) -> str:
        """Filled into lines as wide as they were; "" where it cannot be."""
        indent, width = " " * self._indent, max(map(width_of, self._lines), default=0)
        lines = list[str]()
        for number, line in enumerate(new.strip("\n").split("\n")):
            if line.startswith((" ", "\t")):
                return ""
            if number:
                lines.append("")
            lines += wrapped(line, indent, indent, width) if line else []
        return self._whole(lines)

    def _whole(self, lines: list[str]) -> str:
        if not self._lines or not self._indent:
            return ""
        return self._newline.join([*self._head, *lines, *self._tail])
