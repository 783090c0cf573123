"""What a model wrote, read tolerantly: tags in many spellings, blocks of a batch; and whether every mark is there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.documents.segments import Content, Mark, content_of, marks, nests
from app.features.translation.marking import Shown, tag_of

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
class Damage:
    """What is wrong with the marks of an answer: tags as the model sees them."""

    lost: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    is_tangled: bool = False
    """Pairs cross, a pair encloses nothing any more, or the order of what has one was changed."""


def marked(shown: Shown, answer: str) -> Content:
    """The words of an answer and the marks that its tags stand for, known ones or not."""
    return content_of(_parts(shown, answer))


def damage_of(shown: Shown, found: Content) -> Damage | None:
    """What is wrong with the marks of a core; None where they are exactly those of the source, nested."""
    wanted = Counter(mark.key for mark in marks(shown.core))
    there = Counter(mark.key for mark in marks(found))
    by_key = {mark.key: mark for mark in (*marks(found), *marks(shown.core))}
    lost = tuple(tag_of(by_key[key]) for key in (wanted - there).elements())
    extra = tuple(tag_of(by_key[key]) for key in (there - wanted).elements())
    if lost or extra:
        return Damage(lost, extra)
    if not nests(found) or not shown.order_is_kept(found) or emptied(shown.core, found):
        return Damage(is_tangled=True)
    return None


def blocks(answer: str) -> list[tuple[int, str]]:
    """The numbered segments of an answer, in its order."""
    return [(int(match[1]), match[2]) for match in _BLOCK.finditer(answer)]


def growing_block(answer: str) -> tuple[int, str] | None:
    """The last segment that an unfinished answer has begun."""
    begin = None
    at = answer.rfind("<s")
    while at >= 0 and begin is None:
        begin = _BLOCK_BEGIN.match(answer, at)
        at = answer.rfind("<s", 0, at)
    return (int(begin[1]), _BLOCK_END.split(answer[begin.end() :], maxsplit=1)[0]) if begin else None


def without_tags(answer: str) -> str:
    """The words of an answer, also of one that is not finished: what looks like one of our tags is taken out."""
    return _ANY_TAG.sub("", answer)


def emptied(source: Content, target: Content) -> bool:
    """Whether a pair that encloses words in the source encloses nothing in the target."""
    return bool(enclosing(source) - enclosing(target))


def enclosing(content: Content) -> set[int]:
    """The numbers of the pairs that have something in them."""
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


def _parts(shown: Shown, answer: str) -> Sequence[str | Mark]:
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
        for role, number in _roles(match, waiting, answer):
            if role == "open":
                waiting.append(number)
            elif role == "close" and number in waiting:
                waiting.remove(number)
            parts.append(known.get((role, number)) or Mark(role, number))  # type: ignore[arg-type]
        parts.append(own[1:])
    return [*parts, answer[at:]]


def _is_text(match: re.Match[str], shown: Shown, known: Collection[tuple[str, int]]) -> bool:
    """Whether something in brackets, such as "(X 5)", is no tag of the source but stands in its text just so."""
    if match["name"] is None or match[0][0] in "<＜&" or match[0] not in shown.words:
        return False
    return not any((role, int(match["number"])) in known for role in ("open", "close", "single"))


def _own_brackets(shown: Shown, match: re.Match[str]) -> str:
    """The brackets of a tag in another spelling where the source has them around the tag; "" elsewhere."""
    around = f"{match[0][0]}{match[0][-1]}"
    if around not in _BRACKETS or match.string[: match.start()].endswith(around[0]):
        return ""
    return around if f"{around[0]}<x{match['number']}/>{around[1]}" in shown.text else ""


def _is_paired(match: re.Match[str]) -> bool:
    """Whether a tag begins and ends with brackets of one kind; "(x1 >" is none."""
    first, last = match[0][0].replace("&", "<").replace("＜", "<"), match[0][-1].replace(";", ">").replace("＞", ">")
    return first + last in (*_BRACKETS, "<>")


def _is_empty(number: int, before: str) -> bool:
    """Whether nothing was written behind `<x2>`, so that `</x2>` is the same mark and not one too many."""
    _, opener, behind = before.casefold().rpartition(f"x{number}")
    return bool(opener) and not _TAG_END.split(behind, maxsplit=1)[-1].strip()


def _roles(match: re.Match[str], waiting: Sequence[int], answer: str) -> list[tuple[str, int]]:
    """What a tag stands for; nothing for `</x2>`, which follows a `<x2>`."""
    if match["bare"]:
        return [("close", waiting[-1])] if match["bare"] in "gG" and waiting else []
    number = int(match["number"])
    if match["name"] in "xX":
        return [] if match["end"] and _is_empty(number, answer[: match.start()]) else [("single", number)]
    if match["alone"]:
        return [("open", number), ("close", number)]
    return [("close" if match["end"] else "open", number)]
