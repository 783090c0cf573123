"""Cuts a content into sentences that can be translated one by one: never within a pair of marks; and joins them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from app.documents.cuts import Rank, cuts_in
from app.documents.segments import Content, Mark, content_of, plain
from app.language.names import WITHOUT_WORD_SPACES, base
from app.language.sentences import CLOSING, ENDS, ENDS_AT_ONCE

_EVERY = 1
"""As small a step as goes: every sentence."""
_ENDS = re.compile(rf"[{ENDS}{ENDS_AT_ONCE}][{CLOSING}]*\s*\Z")


def sentences_of(content: Content) -> list[Content]:
    """The sentences, which together are the content; those that a pair holds together stay one."""
    return _cut(content, Rank.SENTENCE)


def parts_of(content: Content, size: Callable[[Content], int], most: int) -> list[Content]:
    """Stretches of sentences of at most so many tokens; a longer sentence is cut between words, where that goes."""
    found: list[Content] = []
    for sentence in sentences_of(content):
        for piece in [sentence] if size(sentence) <= most else _cut(sentence, Rank.WORD):
            if found and size((*found[-1], *piece)) <= most:
                found[-1] = content_of([*found[-1], *piece])
            else:
                found.append(piece)
    return found


def halves_of(content: Content) -> list[Content]:
    """Two parts at the end of a sentence, near the middle; one where there is only one sentence."""
    sentences = sentences_of(content)
    if len(sentences) < 2:
        return sentences
    sizes = [len(plain(one)) for one in sentences]
    middle = min(range(1, len(sentences)), key=lambda n: abs(sum(sizes[:n]) - sum(sizes[n:])))
    return [content_of([part for one in some for part in one]) for some in (sentences[:middle], sentences[middle:])]


def joined(parts: Sequence[Content], source: str, target: str) -> Content:
    """Translated parts in a row, with the spaces between sentences that the target language has."""
    was_spaceless, is_spaceless = (base(code) in WITHOUT_WORD_SPACES for code in (source, target))
    found: list[str | Mark] = []
    for number, part in enumerate(parts):
        ours = list(part)
        if was_spaceless and not is_spaceless and number and found and not _ends_in_space(found):
            ours.insert(0, " ")
        if is_spaceless and not was_spaceless and number < len(parts) - 1 and isinstance(ours[-1], str):
            ours[-1] = ours[-1].rstrip(" ")
        found += ours
    return content_of(found)


def _ends_in_space(parts: Sequence[str | Mark]) -> bool:
    return plain(tuple(parts))[-1:].isspace()


def _cut(content: Content, rank: Rank) -> list[Content]:
    """At every place of a rank that lies in no pair."""
    found: list[list[str | Mark]] = [[]]
    depth = 0
    for part in content:
        if isinstance(part, Mark):
            depth += {"open": 1, "close": -1}.get(part.role, 0)
            found[-1].append(part)
            continue
        if depth:
            found[-1].append(part)
            continue
        at = 0
        for place in [*cuts_in(part, rank, _EVERY), len(part)]:
            found[-1].append(part[at:place])
            at = place
            if place < len(part) or (rank is Rank.SENTENCE and _ENDS.search(part) and part[-1:].isspace()):
                found.append([])
    pieces = [content_of(piece) for piece in found]
    return [piece for piece in pieces if piece]
