"""A paragraph's tokens as a content with marks, and a translated content as tokens again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.documents.formats.office.nodes import Anchor, Format, Group, Line, Single, Text, Token
from app.documents.formats.office.text import without_forbidden
from app.documents.segments import Content, Mark, content_of, marks

_NEAR = 24
"""So many characters away, the end of a word is looked for."""


@dataclass
class _Placed:
    """Where an anchor was: beside a mark, and after which share of the words."""

    anchor: Anchor
    share: float
    beside: tuple[str, int] | None = None
    is_after: bool = False


@dataclass
class Plan:
    """What a translated content goes back into. `content` has what stands between `prefix` and `suffix`."""

    content: Content
    prefix: list[Token]
    suffix: list[Token]
    base: Any
    nodes: dict[int, Any] = field(default_factory=dict)
    placed: list[_Placed] = field(default_factory=list)

    @property
    def has_words(self) -> bool:
        """Whether there is anything to translate."""
        return any(isinstance(part, str) and not part.isspace() for part in self.content)

    @property
    def is_code(self) -> bool:
        """Whether all words are code."""
        return not self.has_words and any(mark.look == "code" for mark in marks(self.content))


def plan_of(line: Line) -> Plan:
    """Marks for what stands among the words; what encloses them all, or only leads or ends them, stays in place."""
    prefix, core, suffix = _stripped(line.tokens)
    plan = Plan((), prefix, suffix, line.base)
    numbers: dict[int, int] = {}
    parts: list[str | Mark] = []
    anchors: list[tuple[int, int, Anchor]] = []
    length = 0
    for token in core:
        if token.role == "text":
            parts.append(token.node.text)
            length += len(token.node.text)
        elif token.role == "anchor":
            anchors.append((len(parts), length, token.node))
        else:
            number = numbers.setdefault(id(token.node), len(numbers) + 1)
            plan.nodes[number] = token.node
            parts.append(_mark(token, number))
    plan.content = content_of(parts)
    plan.placed = [_placed(parts, index, at / max(length, 1), anchor) for index, at, anchor in anchors]
    return plan


def arranged(plan: Plan, content: Content) -> list[Token]:
    """The tokens of a translation, each text with the run that it is to look like.

    Whatever the content has: a mark the plan does not know is left out, a single one that is missing comes at the end,
    what is left open is closed.
    """
    body = _with_anchors(plan, _body(plan, content))
    tokens = [*plan.prefix, *body, *plan.suffix]
    stack = [plan.base]
    styled = []
    for token in tokens:
        if token.role == "open":
            stack.append(token.node.run if isinstance(token.node, Format) else token.node.base)
        elif token.role == "close":
            stack.pop()
        elif token.role == "text" and token.node.run is None:
            styled.append(Token("text", Text(token.node.text, stack[-1])))
            continue
        styled.append(token)
    return styled


def _mark(token: Token, number: int) -> Mark:
    node = token.node
    if token.role == "close":
        return Mark("close", number)
    if token.role == "open":
        return Mark("open", number, node.look)
    return Mark("single", number, node.look, node.shows if isinstance(node, Single) else "")


def _stripped(tokens: list[Token]) -> tuple[list[Token], list[Token], list[Token]]:
    prefix: list[Token] = []
    suffix: list[Token] = []
    core = list(tokens)
    while core:
        first, last = core[0], core[-1]
        if _stays(first):
            prefix.append(core.pop(0))
        elif _stays(last) or _is_page_number(core):
            suffix.insert(0, core.pop())
        elif len(core) > 1 and first.role == "open" and last.role == "close" and last.node is first.node:
            prefix.append(core.pop(0))
            suffix.insert(0, core.pop())
        elif first.role == "text" and (rest := first.node.text.lstrip()) != first.node.text:
            head = first.node.text[: len(first.node.text) - len(rest)]
            prefix.append(_cut(first, head))
            core[:1] = [_cut(first, rest)] if rest else []
        elif last.role == "text" and (rest := last.node.text.rstrip()) != last.node.text:
            suffix.insert(0, _cut(last, last.node.text[len(rest) :]))
            core[-1:] = [_cut(last, rest)]
        else:
            break
    return prefix, core, suffix


def _stays(token: Token) -> bool:
    if token.role == "single":
        return isinstance(token.node, Group) or bool(token.node.stays)
    return token.role == "anchor"


def _is_page_number(core: list[Token]) -> bool:
    """A field at the end behind a tab, as in a table of contents."""
    if len(core) < 2 or core[-1].role != "single" or core[-2].role != "single":
        return False
    return getattr(core[-1].node, "look", "") == "field" and getattr(core[-2].node, "look", "") == "tab"


def _cut(token: Token, text: str) -> Token:
    return Token("text", Text(text, token.node.run, token.node.look))


def _placed(parts: list[str | Mark], index: int, share: float, anchor: Anchor) -> _Placed:
    """An anchor that touches a mark stays at it: a beginning before what follows, an end after what precedes."""
    before = parts[index - 1] if index else None
    after = parts[index] if index < len(parts) else None
    sides = [(before, True), (after, False)] if anchor.is_end else [(after, False), (before, True)]
    for part, is_after in sides:
        if isinstance(part, Mark) and not anchor.is_loose:
            return _Placed(anchor, share, part.key, is_after)
    return _Placed(anchor, share)


def _body(plan: Plan, content: Content) -> list[Token]:
    tokens: list[Token] = []
    waiting: list[int] = []
    used: set[tuple[str, int]] = set()
    known = {mark.key for mark in marks(plan.content)}

    def close(until: int) -> None:
        while waiting:
            number = waiting.pop()
            tokens.append(Token("close", plan.nodes[number]))
            if number == until:
                return

    for part in content:
        if isinstance(part, str):
            if text := without_forbidden(part):
                tokens.append(Token("text", Text(text, None)))
            continue
        if part.key not in known or part.key in used:
            continue
        used.add(part.key)
        if part.role == "close":
            if part.number in waiting:
                close(part.number)
            continue
        tokens.append(Token(part.role, plan.nodes[part.number]))
        waiting += [part.number] if part.role == "open" else []
    close(0)
    missing = (mark for mark in marks(plan.content) if mark.role == "single")
    return tokens + [Token("single", plan.nodes[mark.number]) for mark in missing if mark.key not in used]


def _with_anchors(plan: Plan, body: list[Token]) -> list[Token]:
    if not plan.placed:
        return body
    begun: dict[str, tuple[int, int]] = {}
    places: list[tuple[tuple[int, int], Anchor]] = []
    for placed in plan.placed:
        place = _place(plan, body, placed)
        pair = placed.anchor.pair
        if pair and placed.anchor.is_end:
            place = max(place, begun.get(pair, place))
        elif pair:
            begun[pair] = place
        places.append((place, placed.anchor))
    places.sort(key=lambda each: each[0])
    return _woven(body, places)


def _woven(body: list[Token], places: list[tuple[tuple[int, int], Anchor]]) -> list[Token]:
    tokens: list[Token] = []
    for index, token in enumerate([*body, None]):
        cut = 0
        for (_, offset), anchor in (each for each in places if each[0][0] == index):
            if token is not None and offset > cut:
                tokens.append(_cut(token, token.node.text[cut:offset]))
                cut = offset
            tokens.append(Token("anchor", anchor))
        if token is not None:
            tokens.append(_cut(token, token.node.text[cut:]) if cut else token)
    return tokens


def _place(plan: Plan, body: list[Token], placed: _Placed) -> tuple[int, int]:
    """A token's index and how many of its characters come before."""
    if placed.beside is not None:
        role, number = placed.beside
        for index, token in enumerate(body):
            if token.role == role and token.node is plan.nodes[number]:
                return index + placed.is_after, 0
    total = sum(len(token.node.text) for token in body if token.role == "text")
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
    """The nearest place between two words: before the space for an end, after it for a beginning."""
    shift = 0 if is_end else 1
    spaces = [index for index in range(max(0, at - _NEAR), min(len(text), at + _NEAR)) if text[index].isspace()]
    edges = [index + shift for index in spaces]
    edges += [0] if at <= _NEAR else []
    edges += [len(text)] if at + _NEAR >= len(text) else []
    return min(edges, key=lambda each: abs(each - at), default=at)
