"""The words of a paragraph of OOXML, in any of its dialects: as nodes, as a content with marks, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, NamedTuple

from app.core.lazy_dataclasses import dataclass, field
from app.documents.formats.office.package import without_forbidden
from app.documents.segments import Content, Mark, content_of, marks

_Role = Literal["text", "single", "open", "close", "anchor"]


@dataclass(eq=False)
class StyledText:
    """Words in the look of a run. `look` is equal for runs that look alike.

    `blank` is given for white space that can be seen (a line to write on): the payload it has as a thing.
    """

    text: str
    run: Any
    look: Hashable = None
    blank: list[Any] | None = None


@dataclass(eq=False)
class SingleNode:
    """A single thing among the words. `payload` is the format's own. `stays`: it shows no words, so at a paragraph's
    ends it needn't be a mark.
    """

    look: str
    payload: list[Any]
    shows: str = ""
    stays: bool = False


@dataclass(eq=False)
class WordGroup:
    """A container of words: a link, an insertion, a field with a text result."""

    look: str
    payload: Any
    children: list[Node]
    base: Any = None
    """The run that most of its words look like; set by `tokens_of`."""


@dataclass(eq=False)
class InlineAnchor:
    """Something invisible among the words: bookmarks, comments, floating pictures, deleted text.

    `pair` is equal for both ends of a range. `is_loose`: part of a field that extends beyond the paragraph; keeps its
    order among others like it.
    """

    payload: list[Any]
    is_end: bool = False
    is_loose: bool = False
    pair: str = ""


@dataclass(eq=False)
class RunFormat:
    """A stretch of words that look different from most others."""

    look: str
    run: Any


Node = StyledText | SingleNode | WordGroup | InlineAnchor
_Words = Callable[[Any], list[str]]
"""Returns a run's look, in words of `Mark.look`."""
BREAKS = str.maketrans("\n\t\r", "   ")
"""Characters that are elements, not letters, in a run."""


class ParagraphToken(NamedTuple):
    """A node, or one end of it, in the order of the paragraph."""

    role: _Role
    node: Any


@dataclass
class ParagraphTokens:
    """The tokens of a paragraph, and the run that most of its words look like (None without words)."""

    tokens: list[ParagraphToken] = field(default_factory=list)
    base: Any = None


def line_of(nodes: Sequence[Node], words_of: _Words) -> ParagraphTokens:
    """Return the nodes in order, with a `RunFormat` around what differs from the most frequent look of its group."""
    # Groups of white space only have no look that counts.
    base = _commonest_look(nodes) or next((text for text in texts_in(nodes)), None)
    run = base.run if base is not None else None
    return ParagraphTokens(_iterate_tokens(nodes, base, words_of), run)


def texts_in(nodes: Sequence[Node]) -> list[StyledText]:
    found: list[StyledText] = []
    for node in nodes:
        if isinstance(node, StyledText):
            found.append(node)
        elif isinstance(node, WordGroup):
            found += texts_in(node.children)
    return found


def _commonest_look(nodes: Sequence[Node]) -> StyledText | None:
    """Return the first text of the look that has the most characters."""
    counted: Counter[Hashable] = Counter()
    first: dict[Hashable, StyledText] = {}
    for node in nodes:
        if isinstance(node, StyledText):
            counted[node.look] += len(node.text.strip())
            first.setdefault(node.look, node)
    return first[counted.most_common(1)[0][0]] if counted else None


def _iterate_tokens(nodes: Sequence[Node], base: StyledText | None, words_of: _Words) -> list[ParagraphToken]:
    nodes = _spaces_joined(_blanks_told(nodes))
    tokens: list[ParagraphToken] = []
    span: StyledText | None = None
    form: RunFormat | None = None
    for index, node in enumerate(nodes):
        following = node if isinstance(node, StyledText) else _next_text(nodes, index)
        # A look ends only where another text follows: anchors between two equal runs don't divide it.
        if span is not None and (following is None or following.look != span.look):
            tokens.append(ParagraphToken("close", form))
            span = None
        if isinstance(node, StyledText):
            if span is None and base is not None and node.look != base.look:
                span, form = node, RunFormat(_look_difference(words_of, base.run, node.run), node.run)
                tokens.append(ParagraphToken("open", form))
            tokens.append(ParagraphToken("text", node))
        elif isinstance(node, WordGroup):
            tokens += _group_tokens(node, base, words_of)
        else:
            tokens.append(ParagraphToken("single" if isinstance(node, SingleNode) else "anchor", node))
    return [*tokens, ParagraphToken("close", form)] if span is not None else tokens


def _group_tokens(group: WordGroup, outer: StyledText | None, words_of: _Words) -> list[ParagraphToken]:
    """Return a group's tokens; one without words is a single thing."""
    if not any(text.text.strip() for text in texts_in(group.children)):
        return [ParagraphToken("single", group)]
    base = _commonest_look(group.children) or outer
    group.base = base.run if base is not None else None
    return [
        ParagraphToken("open", group),
        *_iterate_tokens(group.children, base, words_of),
        ParagraphToken("close", group),
    ]


def _look_difference(words_of: _Words, base: Any, other: Any) -> str:
    """Return a word for what only the second run's look has."""
    known = words_of(base)
    return next((word for word in words_of(other) if word not in known), "other")


def _next_text(nodes: Sequence[Node], index: int) -> StyledText | None:
    return next((node for node in nodes[index + 1 :] if isinstance(node, StyledText)), None)


def _blanks_told(nodes: Sequence[Node]) -> list[Node]:
    """Make visible white space a thing, unless the words next to it have its look."""
    told: list[Node] = []
    for index, node in enumerate(nodes):
        if isinstance(node, StyledText) and node.blank is not None:
            beside = [*told[-1:], *nodes[index + 1 : index + 2]]
            # With words of its look on a side it is an ordinary space between them.
            if not any(isinstance(neighbour, StyledText) and neighbour.look == node.look for neighbour in beside):
                told.append(SingleNode("other", node.blank, stays=True))
                continue
        told.append(node)
    return told


def _spaces_joined(nodes: Sequence[Node]) -> list[Node]:
    """Give white space the look of the words next to it unless it is underlined."""
    texts = [node for node in nodes if isinstance(node, StyledText)]
    taken: dict[int, StyledText] = {}  # by identity: two texts may say and look the same
    for index, text in enumerate(texts):
        if not text.text.isspace():
            continue
        before = texts[index - 1] if index else None
        before = taken.get(id(before), before) if before is not None else None
        after = texts[index + 1] if index + 1 < len(texts) else None
        beside = [styled_text for styled_text in (before, after) if styled_text is not None]
        looks = [styled_text.look for styled_text in beside]
        # The space between a bold and a plain word belongs to either; a look of its own would be a mark for nothing.
        if beside and (len(set(looks)) == 1 or text.look not in looks):
            taken[id(text)] = beside[0]
    return [_copy_node(node, taken) for node in nodes]


def _copy_node(node: Node, taken: dict[int, StyledText]) -> Node:
    other = taken.get(id(node))
    return StyledText(node.text, other.run, other.look) if other is not None and isinstance(node, StyledText) else node


_NEAR = 24
"""So many characters away, the end of a word is looked for."""


@dataclass
class _PlacedAnchor:
    """Former place of an anchor: next to a mark, and after which share of the words."""

    anchor: InlineAnchor
    share: float
    beside: tuple[str, int] | None = None
    is_after: bool = False


@dataclass
class RewritePlan:
    """Plan for putting a translation back. `content` is what is between `prefix` and `suffix`."""

    content: Content
    prefix: list[ParagraphToken]
    suffix: list[ParagraphToken]
    base: Any
    nodes: dict[int, Any] = field(default_factory=dict)
    placed: list[_PlacedAnchor] = field(default_factory=list)

    @property
    def has_words(self) -> bool:
        return any(isinstance(part, str) and not part.isspace() for part in self.content)

    @property
    def is_code(self) -> bool:
        return not self.has_words and any(mark.look == "code" for mark in marks(self.content))


def plan_of(line: ParagraphTokens) -> RewritePlan:
    """Assign marks to things among the words; what encloses all, or leads or ends them, stays in place."""
    prefix, core, suffix = _strip_ends(line.tokens)
    plan = RewritePlan((), prefix, suffix, line.base)
    numbers: dict[int, int] = {}
    parts: list[str | Mark] = []
    anchors: list[tuple[int, int, InlineAnchor]] = []
    length = 0
    for token in core:
        if token.role == "text":
            parts.append(token.node.text)
            length += len(token.node.text)
        elif token.role == "anchor":
            # Anchors aren't in the content, so that a model has fewer marks to keep; they are put back by place.
            anchors.append((len(parts), length, token.node))
        else:
            number = numbers.setdefault(id(token.node), len(numbers) + 1)
            plan.nodes[number] = token.node
            parts.append(_mark_of_token(token, number))
    plan.content = content_of(parts)
    plan.placed = [_place_anchor(parts, index, at / max(length, 1), anchor) for index, at, anchor in anchors]
    return plan


def arranged(plan: RewritePlan, content: Content) -> list[ParagraphToken]:
    """Return the tokens of a translation, each text with the run that it is to look like.

    Whatever the content has: a mark the plan does not know is left out, a single one that is missing comes at the end,
    what is left open is closed.
    """
    body = _with_anchors(plan, _body_tokens(plan, content))
    # The look of words is decided at the end, from the marks that are open around them.
    tokens = [*plan.prefix, *body, *plan.suffix]
    stack = [plan.base]
    styled = []
    for token in tokens:
        if token.role == "open":
            stack.append(token.node.run if isinstance(token.node, RunFormat) else token.node.base)
        elif token.role == "close":
            stack.pop()
        elif token.role == "text" and token.node.run is None:
            styled.append(ParagraphToken("text", StyledText(token.node.text, stack[-1])))
            continue
        styled.append(token)
    return styled


def _mark_of_token(token: ParagraphToken, number: int) -> Mark:
    node = token.node
    if token.role == "close":
        return Mark("close", number)
    if token.role == "open":
        return Mark("open", number, node.look)
    return Mark("single", number, node.look, node.shows if isinstance(node, SingleNode) else "")


def _strip_ends(
    tokens: list[ParagraphToken],
) -> tuple[list[ParagraphToken], list[ParagraphToken], list[ParagraphToken]]:
    prefix: list[ParagraphToken] = []
    suffix: list[ParagraphToken] = []
    core = list(tokens)
    while core:  # from both ends, since what is taken off one may uncover a pair that encloses all the rest
        first, last = core[0], core[-1]
        if _stays_in_place(first):
            prefix.append(core.pop(0))
        elif _stays_in_place(last) or _is_page_number(core):
            suffix.insert(0, core.pop())
        elif len(core) > 1 and first.role == "open" and last.role == "close" and last.node is first.node:
            prefix.append(core.pop(0))
            suffix.insert(0, core.pop())
        elif first.role == "text" and (rest := first.node.text.lstrip()) != first.node.text:
            head = first.node.text[: len(first.node.text) - len(rest)]
            prefix.append(_cut_token(first, head))
            core[:1] = [_cut_token(first, rest)] if rest else []
        elif last.role == "text" and (rest := last.node.text.rstrip()) != last.node.text:
            suffix.insert(0, _cut_token(last, last.node.text[len(rest) :]))
            core[-1:] = [_cut_token(last, rest)]
        else:
            break
    return prefix, core, suffix


def _stays_in_place(token: ParagraphToken) -> bool:
    if token.role == "single":
        return isinstance(token.node, WordGroup) or bool(token.node.stays)
    return token.role == "anchor"


def _is_page_number(core: list[ParagraphToken]) -> bool:
    """Return whether the text ends in a tab and a field, as an entry of a table of contents does."""
    if len(core) < 2 or core[-1].role != "single" or core[-2].role != "single":
        return False
    return getattr(core[-1].node, "look", "") == "field" and getattr(core[-2].node, "look", "") == "tab"


def _cut_token(token: ParagraphToken, text: str) -> ParagraphToken:
    return ParagraphToken("text", StyledText(text, token.node.run, token.node.look))


def _place_anchor(parts: list[str | Mark], index: int, share: float, anchor: InlineAnchor) -> _PlacedAnchor:
    """Place an anchor that touches a mark at that mark: a beginning before what follows, an end after what precedes."""
    before = parts[index - 1] if index else None
    after = parts[index] if index < len(parts) else None
    sides = [(before, True), (after, False)] if anchor.is_end else [(after, False), (before, True)]
    for part, is_after in sides:
        if isinstance(part, Mark) and not anchor.is_loose:
            return _PlacedAnchor(anchor, share, part.key, is_after)
    return _PlacedAnchor(anchor, share)


def _body_tokens(plan: RewritePlan, content: Content) -> list[ParagraphToken]:
    tokens: list[ParagraphToken] = []
    waiting: list[int] = []
    used: set[tuple[str, int]] = set()
    known = {mark.key for mark in marks(plan.content)}

    def close(until: int) -> None:
        while waiting:
            number = waiting.pop()
            tokens.append(ParagraphToken("close", plan.nodes[number]))
            if number == until:
                return

    for part in content:
        if isinstance(part, str):
            if text := without_forbidden(part):
                tokens.append(ParagraphToken("text", StyledText(text, None)))
            continue
        # A mark that is unknown or came already can't be written twice: a file has one picture with its id.
        if part.key not in known or part.key in used:
            continue
        used.add(part.key)
        if part.role == "close":
            if part.number in waiting:
                close(part.number)
            continue
        tokens.append(ParagraphToken(part.role, plan.nodes[part.number]))
        waiting += [part.number] if part.role == "open" else []
    # What a translation left open ends with the paragraph.
    close(0)
    missing = (mark for mark in marks(plan.content) if mark.role == "single")
    return tokens + [ParagraphToken("single", plan.nodes[mark.number]) for mark in missing if mark.key not in used]


def _with_anchors(plan: RewritePlan, body: list[ParagraphToken]) -> list[ParagraphToken]:
    if not plan.placed:
        return body
    begun: dict[str, tuple[int, int]] = {}
    places: list[tuple[tuple[int, int], InlineAnchor]] = []
    for placed in plan.placed:
        place = _token_position(plan, body, placed)
        pair = placed.anchor.pair
        if pair and placed.anchor.is_end:
            # The end of a range must not come before its beginning, whatever order the words have now.
            place = max(place, begun.get(pair, place))
        elif pair:
            begun[pair] = place
        places.append((place, placed.anchor))
    places.sort(key=lambda place: place[0])
    return _weave_anchors(body, places)


def _weave_anchors(
    body: list[ParagraphToken], places: list[tuple[tuple[int, int], InlineAnchor]]
) -> list[ParagraphToken]:
    tokens: list[ParagraphToken] = []
    for index, token in enumerate([*body, None]):
        cut = 0
        for (_, offset), anchor in (place for place in places if place[0][0] == index):
            if token is not None and offset > cut:
                tokens.append(_cut_token(token, token.node.text[cut:offset]))
                cut = offset
            tokens.append(ParagraphToken("anchor", anchor))
        if token is not None:
            tokens.append(_cut_token(token, token.node.text[cut:]) if cut else token)
    return tokens


def _token_position(plan: RewritePlan, body: list[ParagraphToken], placed: _PlacedAnchor) -> tuple[int, int]:
    """Return a token's index and how many of its characters come before."""
    if placed.beside is not None:
        role, number = placed.beside
        for index, token in enumerate(body):
            if token.role == role and token.node is plan.nodes[number]:
                return index + placed.is_after, 0
    total = sum(len(token.node.text) for token in body if token.role == "text")
    # By share of the words: a comment behind the first third stays there, whatever the language.
    left = round(placed.share * total)
    for index, token in enumerate(body):
        if token.role != "text":
            continue
        text = token.node.text
        if left <= len(text):
            at = _word_end(text, left, placed.anchor.is_end)
            return (index, at) if at < len(text) else (index + 1, 0)
        left -= len(text)
    return len(body), 0


def _word_end(text: str, at: int, is_end: bool) -> int:
    """Return the nearest place between two words: before the space for an end, after it for a beginning."""
    shift = 0 if is_end else 1
    # Within a word an anchor would cut it into two runs; the nearest space is good enough.
    spaces = [index for index in range(max(0, at - _NEAR), min(len(text), at + _NEAR)) if text[index].isspace()]
    edges = [index + shift for index in spaces]
    edges += [0] if at <= _NEAR else []
    edges += [len(text)] if at + _NEAR >= len(text) else []
    return min(edges, key=lambda edge: abs(edge - at), default=at)
