"""Cut a content into sentences that can be translated one by one, never within a pair of marks; and join them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from app.documents.cut_places import CutRank, cuts_in
from app.documents.segments import Content, Mark, content_of, plain
from app.language.language_names import WITHOUT_WORD_SPACES, base_code
from app.language.sentences import CLOSING, ENDS, ENDS_AT_ONCE

_EVERY = 1
"""As small a step as goes: every sentence."""
_ENDS = re.compile(rf"[{ENDS}{ENDS_AT_ONCE}][{CLOSING}]*\s*\Z")


def sentences_of(content: Content) -> list[Content]:
    """Split into sentences, which together are the content; those joined by a pair stay together."""
    return _cut_at_rank(content, CutRank.SENTENCE)


def parts_of(content: Content, size: Callable[[Content], int], most: int) -> list[Content]:
    """Split into runs of sentences of at most `most` tokens; a longer sentence is cut between words where possible."""
    found: list[Content] = []
    for sentence in sentences_of(content):
        # Cut between words only where a sentence alone is too long.
        for piece in [sentence] if size(sentence) <= most else _cut_at_rank(sentence, CutRank.WORD):
            if found and size((*found[-1], *piece)) <= most:
                found[-1] = content_of([*found[-1], *piece])
            else:
                found.append(piece)
    return found


def halves_of(content: Content) -> list[Content]:
    """Split near the middle, at a sentence's end; one part if there is only one sentence."""
    sentences = sentences_of(content)
    if len(sentences) < 2:
        return sentences
    sizes = [len(plain(sentence)) for sentence in sentences]
    middle = min(range(1, len(sentences)), key=lambda n: abs(sum(sizes[:n]) - sum(sizes[n:])))
    return [
        content_of([part for sentence in some for part in sentence])
        for some in (sentences[:middle], sentences[middle:])
    ]


def join_parts(parts: Sequence[Content], source: str, target: str) -> Content:
    """Translated parts in a row, with the spaces between sentences that the target language has."""
    was_spaceless, is_spaceless = (base_code(code) in WITHOUT_WORD_SPACES for code in (source, target))
    found: list[str | Mark] = []
    for number, part in enumerate(parts):
        ours = list(part)
        # Chinese has no space between sentences; English needs one.
        if was_spaceless and not is_spaceless and number and found and not _ends_in_space(found):
            ours.insert(0, " ")
        if is_spaceless and not was_spaceless and number < len(parts) - 1 and isinstance(ours[-1], str):
            ours[-1] = ours[-1].rstrip(" ")
        found += ours
    return content_of(found)


def _ends_in_space(parts: Sequence[str | Mark]) -> bool:
    return plain(tuple(parts))[-1:].isspace()


def _cut_at_rank(content: Content, rank: CutRank) -> list[Content]:
    """Cut at every place of a rank outside paired marks."""
    found: list[list[str | Mark]] = [[]]
    depth = 0
    for part in content:
        if isinstance(part, Mark):
            depth += {"open": 1, "close": -1}.get(part.role, 0)
            found[-1].append(part)
            continue
        # Never within a pair: its two marks must stay in one piece.
        if depth:
            found[-1].append(part)
            continue
        at = 0
        for place in [*cuts_in(part, rank, _EVERY), len(part)]:
            found[-1].append(part[at:place])
            at = place
            # A sentence that ends with the part's white space ends here, too.
            if place < len(part) or (rank is CutRank.SENTENCE and _ENDS.search(part) and part[-1:].isspace()):
                found.append([])
    pieces = [content_of(piece) for piece in found]
    return [piece for piece in pieces if piece]
