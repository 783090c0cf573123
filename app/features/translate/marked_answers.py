"""A model's answer read tolerantly: tags in many spellings, blocks of a batch; and whether every mark is there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from app.core.lazy_dataclasses import dataclass
from app.documents.segments import Content, Mark, content_of, marks, nests
from app.features.translate.marking import ShownContent, tag_of

_TAG = re.compile(
    r"""(?:[<＜\[({⟦]|&lt;)\s*(?P<end>/)?\s*(?P<name>[gGxX])\s*(?:id\s*=\s*)?["'“”]?\s*(?P<number>\d{1,6})\s*["'“”]?\s*
        (?P<alone>/)?\s*(?:[>＞\])}⟧]|&gt;)
      | (?:<|&lt;|＜)\s*/\s*(?P<bare>[gGxX])\s*(?:>|&gt;|＞)""",
    re.VERBOSE,
)
_BLOCK = re.compile(
    r"""<\s*s\s+n\s*=\s*["'“”]?\s*(\d{1,6})\s*["'“”]?\s*>(.*?)(?=<\s*/\s*s\s*>|<\s*s\s+n\s*=|\Z)""", re.DOTALL
)
_BLOCK_BEGIN = re.compile(r"""<\s*s\s+n\s*=\s*["'“”]?\s*(\d{1,6})\s*["'“”]?\s*>""")
_BLOCK_END = re.compile(r"<\s*/\s*s\b|<(?:\s*/?\s*s?)?\Z")
_BRACKETS = ("()", "[]", "{}", "⟦⟧")
_TAG_END = re.compile(r"[>＞\])}⟧]|&gt;")
_UNFINISHED = r"(?:<|&lt;|＜)\s*/?\s*(?:[gGxX]\s*\d*|s(?:\s+n\s*=[^<>]*)?)\s*/?\s*(?:>|&gt;|＞)?\Z"
_ANY_TAG = re.compile(f"{_UNFINISHED}|{_TAG.pattern}", re.VERBOSE)


@dataclass(frozen=True)
class MarkDamage:
    """Damage to an answer's marks, as tags the model sees.

    If none is missing or extra, pairs cross, a pair became empty, or a fixed order changed.
    """

    lost: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


def parse_marked(shown: ShownContent, answer: str) -> Content:
    """Parse an answer into words and marks, known ones or not."""
    return content_of(_answer_parts(shown, answer))


def damage_of(shown: ShownContent, found: Content) -> MarkDamage | None:
    """Return what is wrong with a core's marks; None if they are exactly the source's, nested."""
    wanted = Counter(mark.key for mark in marks(shown.core))
    there = Counter(mark.key for mark in marks(found))
    # The answer's own marks first, the source's over them, which know the look.
    by_key = {mark.key: mark for mark in (*marks(found), *marks(shown.core))}
    # Counted, since a model may write a tag twice and lose another.
    lost = tuple(tag_of(by_key[key]) for key in (wanted - there).elements())
    extra = tuple(tag_of(by_key[key]) for key in (there - wanted).elements())
    if lost or extra:
        return MarkDamage(lost, extra)
    if not nests(found) or not shown.order_is_kept(found) or empties_pair(shown.core, found):
        return MarkDamage()
    return None


def numbered_segments(answer: str) -> list[tuple[int, str]]:
    """Return an answer's numbered segments in order."""
    return [(int(match[1]), match[2]) for match in _BLOCK.finditer(answer)]


def growing_block(answer: str) -> tuple[int, str] | None:
    """Return the last segment begun in an unfinished answer."""
    begin = None
    at = answer.rfind("<s")
    # From the end, where the answer grows; "<s" of "<span>" is passed over.
    while at >= 0 and begin is None:
        begin = _BLOCK_BEGIN.match(answer, at)
        at = answer.rfind("<s", 0, at)
    return (int(begin[1]), _BLOCK_END.split(answer[begin.end() :], maxsplit=1)[0]) if begin else None


def without_tags(answer: str) -> str:
    """Strip everything that looks like our tags, also from an unfinished answer."""
    return _ANY_TAG.sub("", answer)


def empties_pair(source: Content, target: Content) -> bool:
    """Return whether a pair that encloses words in the source became empty."""
    return bool(enclosing_pairs(source) - enclosing_pairs(target))


def enclosing_pairs(content: Content) -> set[int]:
    """Return the numbers of pairs that aren't empty."""
    waiting: list[int] = []
    found: set[int] = set()
    for part in content:
        if isinstance(part, str):
            if part.strip():
                found.update(waiting)
        elif part.role == "open":
            waiting.append(part.number)
        elif part.role == "close":
            if part.number in waiting:
                waiting.remove(part.number)
        else:
            found.update(waiting)
    return found


def _answer_parts(shown: ShownContent, answer: str) -> Sequence[str | Mark]:
    known = {mark.key: mark for mark in marks(shown.core)}
    parts: list[str | Mark] = []
    waiting: list[int] = []
    at = 0
    for match in _TAG.finditer(answer):
        if not _is_paired(match) or _is_text(match, shown, known):
            continue
        own = _own_brackets(shown, match)  # "(x1)" for "(<x1/>)": the tag was written bare
        parts += (answer[at : match.start()], own[:1])
        at = match.end()
        for role, number in _tag_roles(match, waiting, answer):
            if role == "open":
                waiting.append(number)
            elif role == "close" and number in waiting:
                waiting.remove(number)
            # An unknown mark stays one: `damage_of` tells it, and it never becomes text.
            parts.append(known.get((role, number)) or Mark(role, number))  # type: ignore[arg-type]
        parts.append(own[1:])
    return [*parts, answer[at:]]


def _is_text(match: re.Match[str], shown: ShownContent, known: Collection[tuple[str, int]]) -> bool:
    """Return whether a bracketed text such as "(X 5)" belongs to the source and isn't a tag."""
    # Angle brackets are tags whatever the source says; round ones only if it has no such text.
    if match["name"] is None or match[0][0] in "<＜&" or match[0] not in shown.words:
        return False
    return not any((role, int(match["number"])) in known for role in ("open", "close", "single"))


def _own_brackets(shown: ShownContent, match: re.Match[str]) -> str:
    """Return the brackets of a misspelled tag if the source has them around the tag; else ""."""
    around = f"{match[0][0]}{match[0][-1]}"
    # An answer with both "((x1))" has its own brackets already.
    if around not in _BRACKETS or match.string[: match.start()].endswith(around[0]):
        return ""
    return around if f"{around[0]}<x{match['number']}/>{around[1]}" in shown.text else ""


def _is_paired(match: re.Match[str]) -> bool:
    """Return whether a tag's brackets match; "(x1 >" isn't a tag."""
    first, last = match[0][0].replace("&", "<").replace("＜", "<"), match[0][-1].replace(";", ">").replace("＞", ">")
    return first + last in (*_BRACKETS, "<>")


def _is_empty(number: int, before: str) -> bool:
    """Return whether nothing follows `<x2>`, so that `</x2>` closes it and isn't extra."""
    _, opener, behind = before.casefold().rpartition(f"x{number}")
    return bool(opener) and not _TAG_END.split(behind, maxsplit=1)[-1].strip()


def _tag_roles(match: re.Match[str], waiting: Sequence[int], answer: str) -> list[tuple[str, int]]:
    """Return what a tag stands for; nothing for the `</x2>` after a `<x2>`."""
    if match["bare"]:
        return [("close", waiting[-1])] if match["bare"] in "gG" and waiting else []
    number = int(match["number"])
    if match["name"] in "xX":
        return [] if match["end"] and _is_empty(number, answer[: match.start()]) else [("single", number)]
    if match["alone"]:
        return [("open", number), ("close", number)]
    return [("close" if match["end"] else "open", number)]
