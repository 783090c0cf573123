"""What one sees in a head's attention, as a plain sentence that follows from its numbers by clear rules.

Heads that look at the token before, at the first one, at themselves or at the same word earlier, and those that
continue a repetition, are known from many models (Clark et al., What does BERT look at?, 2019; Olsson et al.,
In-context learning and induction heads, 2022; Xiao et al., Efficient streaming language models with attention sinks,
2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.core.events import TokenSeen
from app.core.visible import visible_name
from app.features.models.messages import Words

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]

LEAST_TOKENS = 4
"""Of fewer, the token before, the first one and the token itself are too often the same."""
MOSTLY = 0.5
"""From this mean share on, one place has most of the attention."""
PARTLY = 0.25
"""From this share on, a place is worth naming beside another."""
TOGETHER = 0.6
"""What two places have at least if they are named together."""
EVENLY = 0.9
"""From this share of the largest possible entropy on, attention is spread evenly."""
NEAR_TOKENS = 4
"""How many before it are "the few before"."""
LEAST_REPEATS = 2
"""So many tokens must have come before, and not just now, for a rule about repeated words."""


class Place(StrEnum):
    """Where attention goes, seen from the token that looks."""

    PREVIOUS = "previous"
    FIRST = "first"
    ITSELF = "itself"
    SAME = "same"
    """The same word, earlier in the text."""
    AFTER_SAME = "after_same"
    """What followed the same word earlier: the head goes on with a repetition."""
    NEAR = "near"
    EVEN = "even"
    MIXED = "mixed"
    SHORT = "short"


@dataclass(frozen=True)
class Pattern:
    """Where a head looks: one or two places with their mean shares; none has a share for EVEN, MIXED and SHORT.

    `repeated` is what holds where a word has come before, if a rule of its own does: SAME or AFTER_SAME.
    """

    places: tuple[tuple[Place, float], ...]
    repeated: tuple[Place, float] | None = None


def pattern_of(shares: Floats, tokens: Sequence[TokenSeen]) -> Pattern:
    """The pattern of one head, or of a mean of heads; `shares` is [token that looks, token looked at]."""
    import numpy as np

    count = len(tokens)
    if count < LEAST_TOKENS:
        return Pattern(((Place.SHORT, 0.0),))
    looking = np.arange(2, count)  # the first two have nearly no choice
    repeated = _repeated(shares, tokens)
    mean = {
        Place.PREVIOUS: float(shares[looking, looking - 1].mean()),
        Place.FIRST: float(shares[looking, 0].mean()),
        Place.ITSELF: float(shares[looking, looking].mean()),
    }
    (best, most), (second, less), _ = sorted(mean.items(), key=lambda one: -one[1])
    if most >= MOSTLY and less < PARTLY:
        return Pattern(((best, most),), repeated)
    if less >= PARTLY and most + less >= TOGETHER:
        return Pattern(((best, most), (second, less)), repeated)
    if _evenness(shares[2:]) >= EVENLY:
        return Pattern(((Place.EVEN, 0.0),), repeated)
    # A text that is hardly longer than what is near says nothing of it.
    near = [float(row[max(1, at - NEAR_TOKENS) : at].sum()) for at, row in enumerate(shares) if at > 2 * NEAR_TOKENS]
    if near and (share := sum(near) / len(near)) >= MOSTLY:
        return Pattern(((Place.NEAR, share),), repeated)
    named = tuple((place, share) for place, share in ((best, most), (second, less)) if share >= PARTLY)
    return Pattern(((Place.MIXED, 0.0), *named), repeated)


def _repeated(shares: Floats, tokens: Sequence[TokenSeen]) -> tuple[Place, float] | None:
    """What tokens whose word has come before look at, if that is mostly the word itself or what followed it."""
    same, after, counted_same, counted_after = 0.0, 0.0, 0, 0
    words = [word_of(token).casefold() for token in tokens]
    for at, word in enumerate(words):
        if not any(character.isalnum() for character in word):
            continue  # full stops come everywhere
        before = [other for other in range(1, at - 1) if words[other] == word]
        followed = [other + 1 for other in before if other + 1 < at - 1]
        if before:
            counted_same += 1
            same += float(shares[at, before].sum())
        if followed:
            counted_after += 1
            after += float(shares[at, followed].sum())
    found = [
        (place, total / counted)
        for place, total, counted in ((Place.SAME, same, counted_same), (Place.AFTER_SAME, after, counted_after))
        if counted >= LEAST_REPEATS and total / counted >= MOSTLY
    ]
    return max(found, key=lambda one: one[1], default=None)


def _evenness(rows: Floats) -> float:
    """Entropy of each row in shares of the largest that it could have, as a mean."""
    import numpy as np

    logs = np.log(np.where(rows > 0, rows, 1.0))
    entropy = -(rows * logs).sum(axis=1)
    count = rows.shape[1]
    most = np.log(np.arange(count - len(rows) + 1, count + 1))
    return float((entropy / most).mean())


def word_of(token: TokenSeen) -> str:
    """A token as `shown_word` has it."""
    return shown_word(token.data)


def shown_word(data: bytes) -> str:
    """A token in a few visible characters, for a label: a blank around it is left out, what is only that is drawn."""
    text = data.decode("utf-8", "replace")
    inner = text.strip()
    if inner:
        return visible_name(inner)
    drawn = {" ": "␣", "\n": "↵", "\t": "⇥"}
    return "".join(drawn.get(character, visible_name(character)) for character in text) or "·"


MOSTLY_WORDS = {
    Place.PREVIOUS: "Mostly looks at the token before: {percent} % of the attention on average.",
    Place.FIRST: "Mostly rests on the first token, {percent} % on average: so does a head that finds nothing else.",
    Place.ITSELF: "Mostly stays with the token itself: {percent} % on average.",
    Place.NEAR: "Mostly looks at the few tokens before: {percent} % on average.",
    Place.EVEN: "Spread evenly over all that came before.",
    Place.MIXED: "No single place stands out.",
    Place.SHORT: "The text is too short for a pattern.",
}
PARTLY_WORDS = {
    Place.PREVIOUS: "A part goes to the token before: {percent} % on average.",
    Place.FIRST: "A part rests on the first token: {percent} % on average.",
    Place.ITSELF: "A part stays with the token itself: {percent} % on average.",
}
REPEATED_WORDS = {
    Place.SAME: "Where a word has come before, it looks back at that word ({percent} %).",
    Place.AFTER_SAME: "Where a word has come before, it looks at what followed that word ({percent} %).",
}


def sentences_of(pattern: Pattern) -> list[Words]:
    """One to three sentences that say a pattern."""
    found = []
    if pattern.repeated is not None:
        place, share = pattern.repeated
        found.append(_said(REPEATED_WORDS[place], share))
    (place, share), *others = pattern.places
    is_shared = bool(others) and place is not Place.MIXED
    found.append(_said((PARTLY_WORDS if is_shared else MOSTLY_WORDS)[place], share))
    return found + [_said(PARTLY_WORDS[place], share) for place, share in others]


def _said(text: str, share: float) -> Words:
    return Words(text, {"percent": f"{100 * share:.0f}"})
