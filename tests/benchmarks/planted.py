"""Claims with a text that they rest on, and errors planted in them by kind; none of the program's own code is used."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
NAME = re.compile(r"(?<=[\w,;] )[A-Z][\w-]*[\w](?: [A-Z][\w-]*[\w])*")
YEAR = re.compile(r"(?<![\d.,])(?:19|20)\d\d(?![\d.,]\d|\d)")
MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
MONTH = re.compile(rf"\b(?:{'|'.join(MONTHS)})\b(?= \d|,? \d{{4}})")
AUXILIARY = re.compile(r"\b(?:is|are|was|were|can|could|has|have|had|will|would|should|may|might|must|do|does|did)\b")
UNITS = (
    ("million", "billion"),
    ("billion", "million"),
    ("percent", "percentage points"),
    ("%", " percentage points"),
    ("hours", "days"),
    ("minutes", "hours"),
    ("seconds", "minutes"),
    ("days", "weeks"),
    ("weeks", "months"),
    ("months", "years"),
    ("years", "months"),
    ("ms", "s"),
    ("kilometres", "metres"),
    ("metres", "kilometres"),
    ("km", "m"),
    ("tonnes", "kilograms"),
    ("GB", "MB"),
    ("euros", "dollars"),
    ("K", "M"),
    ("k", "M"),
)
_SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z])")
_ABBREVIATED = re.compile(r"\b(?:al|e\.g|i\.e|cf|vs|Fig|Sec|Eq|Tab|resp|[A-Z])\.$")
_CITATION = re.compile(r" ?[(\[][^()\[\]]*(?:et al|\d{4})[^()\[\]]*[)\]]")
_PERSON = ((r"\bWe\b", "The authors"), (r"\bwe\b", "they"), (r"\b[Oo]ur\b", "their"), (r"^This paper\b", "The paper"))


@dataclass(frozen=True)
class Claim:
    """A statement and the texts it rests on. `style`: who wrote it; `nearby` are the texts around those."""

    text: str
    cited: tuple[str, ...]
    nearby: tuple[str, ...]
    style: str

    @property
    def cited_text(self) -> str:
        """All of it, a text a line."""
        return "\n".join(self.cited)


def written(folder: Path, parts: Sequence[str]) -> Iterator[Claim]:
    """What people wrote about papers, each with the sentences that they marked as what it rests on."""
    for part in parts:
        for line in (folder / f"{part}.jsonl").open(encoding="utf-8"):
            paper = json.loads(line)
            for aspect, summary in paper["summary"].items():
                marked = paper["highlights"][aspect]
                texts = [(joined(text), bool(mark)) for section, texts in paper["sentences"].items()
                         for text, mark in zip(texts, marked[section], strict=True)]  # fmt: skip
                cited = tuple(text for text, mark in texts if mark)
                if cited:
                    yield Claim(summary.strip(), cited, tuple(text for text, mark in texts if not mark), "people")


def repeated(folder: Path, parts: Sequence[str], chosen: random.Random, each: int) -> Iterator[Claim]:
    """Sentences of the papers, each resting on its paragraph: word for word, and told by another with less in it."""
    for part in parts:
        for line in (folder / f"{part}.jsonl").open(encoding="utf-8"):
            body = json.loads((folder / "paper_jsons" / f"{json.loads(line)['id']}.json").read_text("utf-8"))
            paragraphs = [one["text"] for one in body["pdf_parse"]["body_text"]]
            fitting = [
                (at, sentence)
                for at, paragraph in enumerate(paragraphs)
                if len(sentences(paragraph)) > 2
                for sentence in sentences(paragraph)
                if 60 <= len(sentence) <= 300 and NUMBER.search(_CITATION.sub("", sentence)) and sentence[-1] == "."
            ]
            for at, sentence in chosen.sample(fitting, min(each, len(fitting))):
                around = tuple(paragraphs[max(0, at - 3) : at] + paragraphs[at + 1 : at + 4])
                yield Claim(sentence, (paragraphs[at],), around, "sentence")
                yield Claim(retold(sentence), (paragraphs[at],), around, "retold")


def joined(text: str) -> str:
    """The data set's sentences have spaces around signs."""
    text = re.sub(r" ([.,;:!?%)\]]|'s\b|n't\b)", r"\1", re.sub(r"([(\[]) ", r"\1", text))
    return re.sub(r'" ([^"]*?) "', r'"\1"', text)


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph."""
    found: list[str] = []
    for part in _SENTENCE.split(text):
        if found and _ABBREVIATED.search(found[-1]):
            found[-1] += f" {part}"
        else:
            found.append(part)
    return found


def retold(sentence: str) -> str:
    """In the third person, without citations, without the shortest clause that has no number."""
    text = _CITATION.sub("", sentence)
    for pattern, other in _PERSON:
        text = re.sub(pattern, other, text)
    clauses = text.split(", ")
    droppable = [clause for clause in clauses[:-1] if not NUMBER.search(clause)]
    if len(clauses) > 1 and droppable:
        clauses.remove(min(droppable, key=len))
    text = ", ".join(clauses)
    return text[:1].upper() + text[1:]


# Errors. Each takes a claim and returns it changed, or None where it has nothing to change.

Plant = Callable[[Claim, random.Random], Claim | None]


def number(claim: Claim, chosen: random.Random) -> Claim | None:
    """One digit changed, so that the number occurs nowhere in the cited texts."""
    there = set(re.findall(r"\d+", claim.cited_text))
    numbers = list(NUMBER.finditer(claim.text))
    chosen.shuffle(numbers)
    for match in numbers:
        places = [at for at in range(match.start(), match.end()) if claim.text[at].isdigit()]
        for _ in range(20):
            at = chosen.choice(places)
            changed = claim.text[:at] + chosen.choice("123456789") + claim.text[at + 1 :]
            run = next(one for one in re.finditer(r"\d+", changed) if one.start() <= at < one.end())
            if changed != claim.text and run[0] not in there:
                return replace(claim, text=changed)
    return None


def unit(claim: Claim, chosen: random.Random) -> Claim | None:
    """Another unit or another scale behind a number."""
    found = [
        (match, there)
        for here, there in UNITS
        for match in re.finditer(rf"(?<=\d)(?P<gap>[ -]?)(?P<unit>{re.escape(here)})(?!\w)", claim.text)
    ]
    if not found:
        return None
    match, there = chosen.choice(found)
    return replace(claim, text=claim.text[: match.start("unit")] + there + claim.text[match.end("unit") :])


def date(claim: Claim, chosen: random.Random) -> Claim | None:
    """Another month, or another year, which the cited texts do not have."""
    for pattern, others in ((MONTH, MONTHS), (YEAR, [str(year) for year in range(1985, 2031)])):
        found = list(pattern.finditer(claim.text))
        free = [one for one in others if one not in claim.cited_text]
        if found and free:
            match = chosen.choice(found)
            return _put(claim, match, chosen.choice(free))
    return None


def name_swapped(pool: Sequence[str]) -> Plant:
    """A name replaced by one of `pool` that occurs nowhere near."""

    def plant(claim: Claim, chosen: random.Random) -> Claim | None:
        found = _names(claim.text)
        around = " ".join((*claim.cited, *claim.nearby)).casefold()
        free = [one for one in pool if one.casefold() not in around]
        return _put(claim, chosen.choice(found), chosen.choice(free)) if found and free else None

    return plant


def wrong_attribution(claim: Claim, chosen: random.Random) -> Claim | None:
    """A name replaced by another one of the cited texts."""
    found = _names(claim.text)
    others = sorted({one[0] for one in _names(claim.cited_text)})
    others = [one for one in others if one.casefold() not in claim.text.casefold()]
    others = [one for one in others if not any(one in name[0] or name[0] in one for name in found)]
    return _put(claim, chosen.choice(found), chosen.choice(others)) if found and others else None


def negation(claim: Claim, chosen: random.Random) -> Claim | None:
    """A "not" less or a "not" more."""
    without = re.sub(r"\b(?:do|does|did) not | not\b|n't\b", " ", claim.text, count=1)
    if without != claim.text:
        return replace(claim, text=re.sub(" {2,}", " ", without))
    match = AUXILIARY.search(claim.text)
    return replace(claim, text=f"{claim.text[: match.end()]} not{claim.text[match.end() :]}") if match else None


def wrong_sentence(claim: Claim, chosen: random.Random) -> Claim | None:
    """A number replaced by one that stands in another sentence of the cited texts."""
    found = [one for one in NUMBER.finditer(claim.text) if not _is_in_code(claim.text, one)]
    said = {one[0] for one in NUMBER.finditer(claim.text)}
    there = [
        one[0]
        for text in claim.cited
        for sentence in sentences(text)
        if not said & {other[0] for other in NUMBER.finditer(sentence)}
        for one in NUMBER.finditer(_CITATION.sub("", sentence))
        if not _is_in_code(sentence, one)
    ]
    alike = [(match, other) for match in found for other in there if ("." in match[0]) == ("." in other)]
    if not alike:
        return None
    match, other = chosen.choice(alike)
    return _put(claim, match, other)


def _is_in_code(text: str, match: re.Match[str]) -> bool:
    return bool(re.search(r"[A-Za-z]-?$", text[max(0, match.start() - 2) : match.start()]))


def _put(claim: Claim, match: re.Match[str], other: str) -> Claim:
    return replace(claim, text=claim.text[: match.start()] + other + claim.text[match.end() :])


def _names(text: str) -> list[re.Match[str]]:
    plain = _CITATION.sub(lambda match: " " * len(match[0]), text)
    return [one for one in NAME.finditer(plain) if not re.fullmatch(r"(?:Table|Figure|Section|Eq|We|In|The).*", one[0])]


def pool_of_names(claims: Sequence[Claim]) -> list[str]:
    """Names that occur in claims, for swapping."""
    return sorted({one[0] for claim in claims for one in _names(claim.text)})
