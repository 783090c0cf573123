"""Classify heads by their attention, and describe each in a plain sentence by fixed rules.

Heads that attend to the previous token, the first one, themselves or the same word earlier, and induction heads, are
known from many models (Clark et al., What does BERT look at?, 2019; Olsson et al., In-context learning and induction
heads, 2022; Xiao et al., Efficient streaming language models with attention sinks, 2023).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.core.catalogue import Translatable
from app.core.events import CancelToken, TokenSeen
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass
from app.core.visible import visible_name
from app.engine.contract import Engine
from app.features.inside import looks
from app.features.models.model_messages import MessageTemplate

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]

MEAN = -1
"""In place of a head: the mean of all heads of the layer."""
LEAST_TOKENS = 4
"""Of fewer, the token before, the first one and the token itself are too often the same."""
NEARLY_ALL = 0.75
"""From this mean share on the first token, there is nothing to say of what is left."""
PARTLY = 0.25
"""From here on, what rests on the first token is said by itself, and the rest is judged as if it were all."""
MOSTLY = 0.5
"""From this share on, one place has most of it."""
NEARBY = 0.65
"""The same for the few tokens together that are near, and for those few that everything looks at."""
EVENLY = 0.93
"""From this part of the largest possible entropy on, it is spread evenly."""
NEAR_TOKENS = 4
FEW_TOKENS = 3
LEAST_REPEATS = 2
"""Tokens that must have occurred before, but not just before, for a rule about repeated words."""
LEAST_FOUND = 0.2
"""And so much of their attention must go there,"""
MUCH_MORE = 2.0
"""times the attention that other words give to the same places."""


class AttentionTarget(StrEnum):
    """Target of attention, relative to the attending token."""

    PREVIOUS = "previous"
    FIRST = "first"
    ITSELF = "itself"
    SAME = "same"
    """The same word, earlier in the text."""
    AFTER_SAME = "after_same"
    """The token after the same word earlier: an induction head."""
    NEAR = "near"
    """The token itself and the few before it."""
    FEW = "few"
    """The same few tokens, from all positions."""
    EVEN = "even"
    MIXED = "mixed"
    SHORT = "short"


@dataclass(frozen=True)
class HeadPattern:
    """Target of a head's attention, as means over the text.

    `place` gets `share` of the attention; if `first` isn't 0, of the attention left after the first token, which gets
    that share. `words` are those of FEW. `repeated` is the rule for words that occurred before, if it differs: SAME
    or AFTER_SAME with its share.
    """

    place: AttentionTarget
    share: float = 0.0
    first: float = 0.0
    words: tuple[str, ...] = ()
    repeated: tuple[AttentionTarget, float] | None = None

    @property
    def kind(self) -> AttentionTarget:
        """The target that characterises the head."""
        return self.repeated[0] if self.repeated is not None else self.place


def pattern_of(shares: Floats, tokens: Sequence[TokenSeen], repeats: TokenRepeats | None = None) -> HeadPattern:
    """Classify a head, or a mean of heads; `shares` is [attending token, attended token]."""
    import numpy as np

    if len(tokens) < LEAST_TOKENS:
        return HeadPattern(AttentionTarget.SHORT)
    rows = shares[2:]  # the first two tokens have nearly no choice
    repeated = _repeated_target(shares, repeats or repeats_of(tokens))
    # A head with nothing to look at rests on the first token (attention sink).
    if (first := float(rows[:, 0].mean())) >= NEARLY_ALL:
        return HeadPattern(AttentionTarget.FIRST, first, repeated=repeated)
    rest = rows.astype(np.float64)
    if _row_evenness(rest, is_shared=False) >= EVENLY:
        return HeadPattern(AttentionTarget.EVEN, repeated=repeated)
    is_shared = first >= PARTLY
    if is_shared:
        # What rests there is told by itself; the rest is judged as if it were all.
        rest[:, 0] = 0.0
    rest /= max(float(rest.sum()), 1e-9)  # tokens that only rest on the first one have no say
    place, share, words = _place_of(rest, tokens, is_shared=is_shared)
    return HeadPattern(place, share, first if is_shared else 0.0, words, repeated)


def _place_of(
    rest: Any, tokens: Sequence[TokenSeen], *, is_shared: bool
) -> tuple[AttentionTarget, float, tuple[str, ...]]:
    """Return the target of most of the rest; `rest` has the rows from the third token on, and sums to 1."""
    import numpy as np

    at = np.arange(2, len(tokens))
    single = {
        AttentionTarget.PREVIOUS: float(rest[at - 2, at - 1].sum()),
        AttentionTarget.ITSELF: float(rest[at - 2, at].sum()),
        AttentionTarget.FIRST: float(rest[:, 0].sum()),
    }
    best = max(single, key=lambda place: single[place])
    if single[best] >= MOSTLY:
        return best, single[best], ()
    if is_shared and _row_evenness(rest, is_shared=True) >= EVENLY:
        return AttentionTarget.EVEN, 0.0, ()
    far = [row for row in at if row > 2 * NEAR_TOKENS]  # before, nearly everything is near
    near = sum(float(rest[row - 2, row - NEAR_TOKENS : row + 1].sum()) for row in far)
    if far and near >= NEARBY * float(rest[far[0] - 2 :].sum()) > 0:
        return AttentionTarget.NEAR, near / float(rest[far[0] - 2 :].sum()), ()
    received = rest.sum(axis=0) - np.concatenate(([0.0, 0.0], rest[at - 2, at]))
    # Itself doesn't count: every token may look at itself.
    few = np.argsort(-received, kind="stable")[:FEW_TOKENS]
    # In a short text three tokens are a large part anyway.
    if len(tokens) > 4 * FEW_TOKENS and (share := float(received[few].sum())) >= MOSTLY:
        return (
            AttentionTarget.FEW,
            share,
            tuple(dict.fromkeys(word_of(tokens[number]) for number in sorted(few.tolist()))),
        )
    return AttentionTarget.MIXED, 0.0, ()


@dataclass(frozen=True)
class TokenRepeats:
    """Repeated words of a text, as 0/1 arrays of [attending token, attended token].

    `others` is the mean attention other words give to the same places.
    """

    places: Mapping[AttentionTarget, Floats]
    others: Mapping[AttentionTarget, Floats]


def repeats_of(tokens: Sequence[TokenSeen]) -> TokenRepeats:
    """Find repeated words, once for all heads. Punctuation doesn't count."""
    import numpy as np

    words = [word_of(token).casefold() for token in tokens]
    count = len(words)
    places = {
        place: np.zeros((count, count), np.float32) for place in (AttentionTarget.SAME, AttentionTarget.AFTER_SAME)
    }
    others: dict[AttentionTarget, Floats] = {}
    for at, word in enumerate(words):
        if any(character.isalnum() for character in word):
            # From the second token on, and not the one just before: those are told as places.
            before = [other for other in range(1, at - 1) if words[other] == word]
            places[AttentionTarget.SAME][at, before] = 1
            places[AttentionTarget.AFTER_SAME][at, [other + 1 for other in before if other + 1 < at - 1]] = 1
    different = np.array([[word != other for other in words] for word in words])
    for place, where in places.items():
        # The last earlier place of the word; behind it other words have the same choice.
        last = np.where(where.any(axis=1), count - 1 - where[:, ::-1].argmax(axis=1), count)
        behind = (different & (np.arange(count)[:, None] > last[None, :] + 1)).astype(np.float32)
        others[place] = behind @ where / max(float(behind.sum()), 1.0)
    return TokenRepeats(places, others)


def _repeated_target(shares: Floats, repeats: TokenRepeats) -> tuple[AttentionTarget, float] | None:
    """Return what tokens with a repeated word attend to, if mostly the word itself or what followed it.

    Attention on the first token is left out: a head with nothing to attend to rests there. Tokens that everything
    attends to don't count: other words must attend to them much less.
    """
    found = []
    for place, where in repeats.places.items():
        rows = where.any(axis=1)
        if int(rows.sum()) < LEAST_REPEATS:
            continue
        there = float((shares * where).sum(axis=1)[rows].mean())
        left = float(1.0 - shares[rows, 0].mean())
        elsewhere = float((shares * repeats.others[place]).sum())
        # Most of what doesn't rest on the first token, and much more than other words give to the same places.
        if there >= max(MOSTLY * left, LEAST_FOUND, MUCH_MORE * elsewhere):
            found.append((place, there))
    return max(found, key=lambda one: one[1], default=None)


def _row_evenness(rest: Any, *, is_shared: bool) -> float:
    """Entropy of each row in parts of the largest that it could have, as a mean by what each row has."""
    import numpy as np

    weights = rest.sum(axis=1)
    rows = rest / np.maximum(weights, 1e-12)[:, None]
    entropy = -(rows * np.log(np.where(rows > 0, rows, 1.0))).sum(axis=1)
    # Row n can look at n tokens, so the largest entropy differs from row to row.
    most = np.log(np.arange(3, len(rows) + 3) - is_shared)
    return float((weights * entropy / most).sum() / max(weights.sum(), 1e-12))


@dataclass(frozen=True)
class AttentionMap:
    """A text's attention and each head's pattern; `shares` is [layer, head, attending token, attended token]."""

    tokens: tuple[TokenSeen, ...]
    layers: tuple[int, ...]
    shares: Floats
    repeats: TokenRepeats
    patterns: tuple[tuple[HeadPattern, ...], ...]
    """Of each head of each layer."""
    is_all: bool
    """True if the text was short enough to be shown whole."""

    def shares_of(self, layer: int, head: int) -> Floats:
        """Return one head's attention, or the mean of a layer's heads; `layer` counts from 0 among `layers`."""
        found: Floats = self.shares[layer].mean(axis=0) if head == MEAN else self.shares[layer, head]
        return found

    def head_pattern(self, layer: int, head: int) -> HeadPattern:
        """Return a head's pattern; with `MEAN`, that of all heads of the layer together."""
        if head == MEAN:
            return pattern_of(self.shares_of(layer, head), self.tokens, self.repeats)
        return self.patterns[layer][head]


def read_attention_map(engine: Engine, text: str, cancel: CancelToken) -> AttentionMap:
    """Read and classify all heads' attention, on a thread. Raises the errors of `looks.read_attention`."""
    import numpy as np

    found, is_all = looks.attention_of_beginning(engine, text, cancel=cancel)
    shares = np.asarray(found.shares)
    repeats = repeats_of(found.tokens)
    patterns = tuple(tuple(pattern_of(head, found.tokens, repeats) for head in layer) for layer in shares)
    return AttentionMap(found.tokens, found.layers, shares, repeats, patterns, is_all)


def plainest_head(patterns: Sequence[Sequence[HeadPattern]]) -> tuple[int, int]:
    """Return (layer, head) to show first: one that mostly attends to the previous token is easiest to understand."""
    found = [
        (pattern.share * (1 - pattern.first), layer, head)
        for layer, heads in enumerate(patterns)
        for head, pattern in enumerate(heads)
        if pattern.kind is AttentionTarget.PREVIOUS
    ]
    _, layer, head = max(found, default=(0.0, 0, MEAN))
    return layer, head


def word_of(token: TokenSeen) -> str:
    return shown_word(token.data)


def shown_word(data: bytes) -> str:
    """Return a token in a few visible characters, for a label: blanks around are dropped, a blank token is drawn."""
    text = data.decode("utf-8", "replace")
    if "\ufffd" in text and data != b"\xef\xbf\xbd":  # a part of a character
        return data.hex(" ").upper()
    if inner := text.strip():
        # A name of the model's may turn the line around.
        return visible_name(inner)
    drawn = {" ": "␣", "\n": "↵", "\t": "⇥"}
    return "".join(drawn.get(character, visible_name(character)) for character in text) or "·"


ALONE = {
    AttentionTarget.PREVIOUS: "Mostly looks at the token before: {percent} % of the attention on average.",
    AttentionTarget.FIRST: (
        "Mostly looks at the first token: {percent} % on average. Heads do this when they find nothing else."
    ),
    AttentionTarget.ITSELF: "Mostly looks at the token itself: {percent} % on average.",
    AttentionTarget.NEAR: "Mostly stays near, on the token itself and the four before it: {percent} % on average.",
    AttentionTarget.FEW: "Mostly looks at the same few tokens, {words}: {percent} % on average.",
    AttentionTarget.EVEN: "Spread evenly over all earlier tokens.",
    AttentionTarget.MIXED: "No clear target.",
    AttentionTarget.SHORT: "The text is too short for a pattern.",
}
BESIDE_FIRST = {
    AttentionTarget.PREVIOUS: "Most of the rest goes to the token before ({percent} %).",
    AttentionTarget.ITSELF: "Most of the rest goes to the token itself ({percent} %).",
    AttentionTarget.NEAR: "Most of the rest stays near, on the token itself and the four before it ({percent} %).",
    AttentionTarget.FEW: "Most of the rest goes to the same few tokens: {words} ({percent} %).",
    AttentionTarget.EVEN: "The rest is spread evenly over all earlier tokens.",
    AttentionTarget.MIXED: "The rest has no clear target.",
}
RESTS = "On average, {percent} % of the attention goes to the first token."
REPEATED = {
    AttentionTarget.SAME: "When a word repeats, it looks back at its earlier occurrence ({percent} %).",
    AttentionTarget.AFTER_SAME: "When a word repeats, it looks at what followed it last time ({percent} %).",
}


def sentences_of(pattern: HeadPattern) -> list[MessageTemplate]:
    """Describe a pattern in one to three sentences."""
    found = []
    if pattern.repeated is not None:
        found.append(_pattern_message(REPEATED[pattern.repeated[0]], pattern.repeated[1]))
    if pattern.first:
        found.append(_pattern_message(RESTS, pattern.first))
    text = (BESIDE_FIRST if pattern.first else ALONE)[pattern.place]
    return [*found, _pattern_message(text, pattern.share, pattern.words)]


def _pattern_message(text: Translatable, share: float, words: Sequence[str] = ()) -> MessageTemplate:
    return MessageTemplate(
        text, {"percent": f"{100 * share:.0f}", "words": join_entries(f"“{word}”" for word in words)}
    )
