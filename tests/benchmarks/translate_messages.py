"""Messages of the installed programs with their translations, and ways in which a model damages what must stay."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.documents.segments import Mark, Segment, SegmentKind, marks
from app.features.translate.marking import PROTECTED, ShownContent, show_segment, tag_of

CATALOGS = Path("/usr/share/locale/fr/LC_MESSAGES")
PLACEHOLDER = re.compile(
    r"%(?:%|\(\w+\)[-+#0]*\d*(?:\.\d+)?[diouxXeEfFgGcrs]|(?:\d+\$)?[-+#0']*(?:\d+|\*)?(?:\.(?:\d+|\*))?"
    r"(?:hh|h|ll|l|L|q|j|z|t)?[diouxXeEfFgGcspm])|\{\w*\}"
)
"""Of C (ISO C, 7.21.6.1, and glibc's m) but for the flag " ", and of Python; not the program's own definition."""
_BY_PLACE = re.compile(r"%[-+#0']*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|L|q|j|z|t)?[diouxXeEfFgGcsp]|\{\}")
_MAGIC = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Message:
    """A message as a segment and as a model sees it, and a translation of it with every tag in place."""

    text: str
    segment: Segment
    shown: ShownContent
    answer: str

    @property
    def tags(self) -> list[str]:
        """Those in the answer."""
        return [tag_of(mark) for mark in marks(self.shown.core)]


def placeholders(text: str) -> Counter[str]:
    """All of them."""
    return Counter(match[0] for match in PLACEHOLDER.finditer(text))


def by_place(text: str) -> list[str]:
    """Those that stand for a value by their order."""
    return _BY_PLACE.findall(text.replace("%%", ""))


def messages() -> list[Message]:
    """Every pair whose source has placeholders, each text once."""
    found: dict[str, str] = {}
    for catalog in sorted(CATALOGS.glob("*.mo")):
        for source, target in pairs(catalog.read_bytes()):
            if placeholders(source):
                found.setdefault(source, target)
    return [_message(number, source, target) for number, (source, target) in enumerate(found.items(), 1)]


def pairs(data: bytes) -> Iterator[tuple[str, str]]:
    """Of a compiled catalog (gettext's manual, "The Format of GNU MO Files"); of a plural, each form by itself."""
    order = _MAGIC[data[:4]]
    count, sources, targets = struct.unpack_from(f"{order}3I", data, 8)
    texts = [
        [data[start : start + size].decode("utf-8", "replace") for size, start in _table(order, data, at, count)]
        for at in (sources, targets)
    ]
    for source, target in zip(*texts, strict=True):
        forms = target.split("\0")
        for number, form in enumerate(source.rpartition("\4")[2].split("\0")):
            if form:
                yield form, forms[min(number, len(forms) - 1)]


def _table(order: str, data: bytes, at: int, count: int) -> list[tuple[int, int]]:
    numbers = struct.unpack_from(f"{order}{2 * count}I", data, at)
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _message(number: int, source: str, target: str) -> Message:
    segment = Segment(number, (source,), SegmentKind.MESSAGE)
    seen = show_segment(segment)
    return Message(source, segment, seen, _tagged(seen, target) or _turned(seen))


def _tagged(seen: ShownContent, target: str) -> str:
    """What people made of it, with tags for what must stay; "" where they left some of that out."""
    text, at = target, 0
    for mark in marks(seen.core):
        place = text.find(mark.shows, at if mark.number in seen.ordered else 0)
        if mark.look != PROTECTED or mark.role != "single" or place < 0:
            return ""
        text = text[:place] + tag_of(mark) + text[place + len(mark.shows) :]
        at = place
    return text if not placeholders(text) and _WORD.search(text) else ""


def _turned(seen: ShownContent) -> str:
    """The source with its words turned round, where people's translation has something else."""
    return "".join(
        tag_of(part) if isinstance(part, Mark) else _WORD.sub(lambda match: match[0][::-1], part) for part in seen.core
    )


Damage = Callable[[Message], str | None]
"""Gives a damaged answer, None where this way does not apply."""


def _of_first(change: Callable[[str], str]) -> Damage:
    """Changes the first tag that stands alone."""

    def damage(message: Message) -> str | None:
        tag = next((tag for tag in message.tags if tag.startswith("<x")), None)
        return message.answer.replace(tag, change(tag), 1) if tag else None

    return damage


def _of_all(change: Callable[[str], str]) -> Damage:
    def damage(message: Message) -> str | None:
        answer = message.answer
        for tag in message.tags:
            answer = answer.replace(tag, change(tag))
        return answer if message.tags else None

    return damage


def _swapped(message: Message) -> str | None:
    by_order = [tag_of(mark) for mark in marks(message.shown.core) if mark.number in message.shown.ordered]
    if len(by_order) < 2 or not all(tag.startswith("<x") for tag in by_order[:2]):
        return None
    one, other = by_order[:2]
    return message.answer.replace(one, "\0").replace(other, one).replace("\0", other)


def _crossed(message: Message) -> str | None:
    tags = [tag for tag in message.tags if tag.startswith("<x")]
    if len(tags) < 2:
        return None
    answer = message.answer.replace(tags[0], tags[0].replace("/>", ">").replace("<x", "<g"), 1)
    return answer.replace(tags[1], f"</g{tags[0][2:-2]}>{tags[1]}", 1)


def _bare(message: Message) -> str | None:
    """Not in brackets that only people's translation has: with these it is a tag of other brackets."""
    tag = next((tag for tag in message.tags if tag.startswith("<x")), "")
    around = re.search(rf"[(\[]{tag}[)\]]", message.answer) if tag else None
    if not tag or (around and around[0] not in message.shown.text):
        return None
    return message.answer.replace(tag, tag.strip("</>"), 1)


def _number(tag: str) -> str:
    return "".join(filter(str.isdigit, tag))


WAYS: dict[str, Damage] = {
    "dropped": _of_first(lambda _: ""),
    "all_dropped": _of_all(lambda _: ""),
    "doubled": _of_first(lambda tag: f"{tag} {tag}"),
    "order_changed": _swapped,
    "renumbered": _of_first(lambda _: "<x77/>"),
    "spaced": _of_all(lambda tag: tag.replace("<", "< ").replace("x", "x ").replace("/>", " / >")),
    "made_a_pair": _of_first(lambda tag: tag.replace("/>", ">") + tag.replace("<", "</").replace("/>", ">")),
    "made_a_pair_with_words": _of_first(
        lambda tag: tag.replace("/>", ">") + "mot" + tag.replace("<", "</").replace("/>", ">")
    ),
    "crossed": _crossed,
    "case_changed": _of_all(str.upper),
    "translated_inside": _of_first(lambda tag: f"<fichier{_number(tag)}/>"),
    "merged_with_words": _of_first(lambda tag: f"mot{tag[:-2]}mot"),
    "invented": lambda message: f"{message.answer} <x78/>" if message.tags else None,
    "invented_in_words": lambda message: f"{message.answer} %s {{name}}",
    "escaped": _of_all(lambda tag: tag.replace("<", "&lt;").replace(">", "&gt;")),
    "other_brackets": _of_all(lambda tag: tag.replace("<", "[").replace(">", "]")),
    "written_bare": _bare,
}
