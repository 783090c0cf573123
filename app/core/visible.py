"""Names, texts and sizes as they are kept and shown: what would act on a terminal or turn a line around is seen."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

_CONTROLS = "\x00-\x1f\x7f-\x9f\u2028\u2029"
# Of all marks only these two turn letters around whatever they are.
_OVERRIDES = "\u202d\u202e"
_DIRECTIONS = "\u202a-\u202e\u2066-\u2069"
_ANY_DIRECTION = re.compile(f"[{_DIRECTIONS}]")
_CLOSES = {"\u202c": "\u202a\u202b", "\u2069": "\u2066\u2067\u2068"}
"""Each character that closes an embedding or isolate (Unicode Bidirectional Algorithm), with those it closes."""
NEUTRAL = "\u2060"
"""Has neither width nor direction."""
# What has no width, or draws nothing, could make two names look alike; joiners of scripts and emoji and variants of
# letters are left out.
_HIDDEN = "\u00ad\u034f\u061c\u200b\u200e\u200f\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb\U000e0000-\U000e007f"
# Letters and signs to every program, and blank: fillers of Hangul and Khitan, vowels of Khmer, Braille without a dot,
# and parts of shorthand and of musical notes.
_BLANK = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
_SURROGATES = "\ud800-\udfff"
_LINE_ENDS = re.compile("\r\n|[\n\r\t\v\f\x85\u2028\u2029]")
_IN_NAMES = re.compile(f"[{_CONTROLS}{_DIRECTIONS}{_HIDDEN}{_BLANK}{_SURROGATES}]")
_IN_TEXTS = re.compile(f"(?![\n\t])[{_CONTROLS}{_OVERRIDES}{_SURROGATES}]")


def clean_text(text: str) -> str:
    """Remove NUL and replace lone surrogates by U+FFFD, so that every later stage can hold the text."""
    # UTF-16 joins surrogates that belong together, and shows which do not.
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def visible_name(name: str) -> str:
    r"""Return a name of a file or a model for one line: what acts in it or hides is written such as \\n, \\x1b or
    \\u202e.

    These are control characters, line ends, embeddings, overrides and marks of direction, and what has no width or is
    blank but spaces and the joiners of scripts and emoji. Bytes that are no text (lone surrogates) become U+FFFD.
    """
    # The quick way for nearly all names.
    return name if name.isascii() and name.isprintable() else _IN_NAMES.sub(_visible_character, name)


def is_visible(name: str) -> bool:
    """Return whether all of a name is seen as it is: nothing acts, hides or is blank but a plain space."""
    return name.isprintable() and visible_name(name) == name


def visible_text(text: str) -> str:
    """Return a text of many lines for a terminal: what a terminal obeys is written out, and what turns letters around.

    The other marks of direction stay: texts of right-to-left scripts need them.
    """
    return _IN_TEXTS.sub(_visible_character, text)


def visible_line(text: str) -> str:
    """Return a title for one line of the screen: its lines joined, what acts in it written out, directions ended."""
    return settle_directions(visible_text(" ".join(_LINE_ENDS.split(text)) if _LINE_ENDS.search(text) else text))


def has_directions(text: str) -> bool:
    """Return whether there are embeddings, overrides or isolates in it."""
    return not text.isascii() and _ANY_DIRECTION.search(text) is not None


def settle_directions(text: str) -> str:
    """Return a text to be shown whose marks of direction end within it and turn no letters around; as long as it was.

    Overrides, and whatever begins and is not closed, become `NEUTRAL`. Texts of right-to-left scripts read as before.
    """
    if not has_directions(text):
        return text
    letters, begun = list(text), list[int]()
    for found in _ANY_DIRECTION.finditer(text):
        mark, at = found[0], found.start()
        if mark in _OVERRIDES:
            letters[at] = NEUTRAL
        elif mark not in _CLOSES:
            begun.append(at)
        # As the algorithm has it (UAX 9, X6a): a closing isolate ends all that began inside of it.
        elif mark == "\u2069" and any(letters[number] in _CLOSES[mark] for number in begun):
            while letters[begun.pop()] not in _CLOSES[mark]:  # it ends the embeddings inside, too
                pass
        # A closing embedding ends only what began last (X7).
        elif mark == "\u202c" and begun and letters[begun[-1]] in _CLOSES[mark]:
            begun.pop()
        else:
            letters[at] = NEUTRAL
    # What never ends would turn around what stands behind the text in a sentence or a line.
    for at in begun:
        letters[at] = NEUTRAL
    return "".join(letters)


def reveal_directions(code: str) -> str:
    """Show direction marks in code as U+FFFD, so that nothing looks like something else."""
    return _ANY_DIRECTION.sub("\ufffd", code) if has_directions(code) else code


def _visible_character(found: re.Match[str]) -> str:
    return "\ufffd" if "\ud800" <= found[0] <= "\udfff" else found[0].encode("unicode_escape").decode("ascii")


def size_words(size_bytes: float, tr: Callable[[str], str] = str) -> str:
    """Format a size such as 812 bytes, 30 kB, 1.2 MB or 5.7 GB in English; never 0 for more than nothing.

    `tr` translates the unit.
    """
    value, places, unit = measure_size(size_bytes)
    return f"{value:.{places}f} {tr(unit)}"


class ByteSize(float):
    """Size in bytes as a value of a template: written in English, unless who fills the template in knows better."""

    def __format__(self, spec: str) -> str:
        return size_words(float(self))


class Moment(float):
    """Seconds since 1970 as a value of a template: written as 2026-12-02 06:05, unless who fills it in knows better."""

    def __format__(self, spec: str) -> str:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(self))


def measure_size(size_bytes: float) -> tuple[float, int, str]:
    """Return what to write of a size: its value, how many decimal places, and its unit, in powers of ten."""
    value, unit = size_bytes, "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value >= 999.5:
            value, unit = value / 1000, larger
    has_decimal = unit in ("GB", "TB") or (unit == "MB" and value < 9.95)
    return value, int(has_decimal), unit
