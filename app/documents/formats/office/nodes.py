"""What a paragraph of OOXML consists of, whichever of its dialects it is in, and its order as tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Role = Literal["text", "single", "open", "close", "anchor"]


@dataclass(eq=False)
class Text:
    """Words in the look of a run. `look` is equal for runs that look alike.

    `blank` is given for white space that can be seen (a line to write on): the payload it has as a thing.
    """

    text: str
    run: Any
    look: Hashable = None
    blank: list[Any] | None = None


@dataclass(eq=False)
class Single:
    """What stands among the words as one thing. `payload` is the dialect's own. `stays`: it shows no words, so at the
    beginning or the end of a paragraph it need not be known to who translates."""

    look: str
    payload: list[Any]
    shows: str = ""
    stays: bool = False


@dataclass(eq=False)
class Group:
    """What holds words: a link, an insertion, a field whose result is words."""

    look: str
    payload: Any
    children: list[Node]
    base: Any = None
    """The run that most of its words look like; set by `tokens_of`."""


@dataclass(eq=False)
class Anchor:
    """What has a place among the words and cannot be seen: bookmarks, comments, floating pictures, deleted text.

    `pair` is equal for the two ends of a range. `is_loose`: it is part of a field that goes beyond the paragraph, and
    keeps its order among others like it.
    """

    payload: list[Any]
    is_end: bool = False
    is_loose: bool = False
    pair: str = ""


@dataclass(eq=False)
class Format:
    """A stretch of words that look different from most others."""

    look: str
    run: Any


Node = Text | Single | Group | Anchor
Describe = Callable[[Any, Any], str]
"""What makes the second run look different from the first: a word of `Mark.look`."""


class Token(NamedTuple):
    """A node, or one end of it, in the order of the paragraph."""

    role: Role
    node: Any


@dataclass
class Line:
    """The tokens of a paragraph, and the run that most of its words look like (None without words)."""

    tokens: list[Token] = field(default_factory=list)
    base: Any = None


def line_of(nodes: Sequence[Node], describe: Describe) -> Line:
    """The nodes in order, with a `Format` around what differs from the most frequent look of its group."""
    base = _most(nodes) or next((text for text in texts_in(nodes)), None)
    run = base.run if base is not None else None
    return Line(_tokens(nodes, base, describe), run)


def texts_in(nodes: Sequence[Node]) -> list[Text]:
    """All texts, those in groups too."""
    found: list[Text] = []
    for node in nodes:
        if isinstance(node, Text):
            found.append(node)
        elif isinstance(node, Group):
            found += texts_in(node.children)
    return found


def _most(nodes: Sequence[Node]) -> Text | None:
    """The first text of the look that has the most characters."""
    counted: Counter[Hashable] = Counter()
    first: dict[Hashable, Text] = {}
    for node in nodes:
        if isinstance(node, Text):
            counted[node.look] += len(node.text.strip())
            first.setdefault(node.look, node)
    return first[counted.most_common(1)[0][0]] if counted else None


def _tokens(nodes: Sequence[Node], base: Text | None, describe: Describe) -> list[Token]:
    nodes = _spaces_joined(_blanks_told(nodes))
    tokens: list[Token] = []
    span: Text | None = None
    form: Format | None = None
    for index, node in enumerate(nodes):
        following = node if isinstance(node, Text) else _next_text(nodes, index)
        if span is not None and (following is None or following.look != span.look):
            tokens.append(Token("close", form))
            span = None
        if isinstance(node, Text):
            if span is None and base is not None and node.look != base.look:
                span, form = node, Format(describe(base.run, node.run), node.run)
                tokens.append(Token("open", form))
            tokens.append(Token("text", node))
        elif isinstance(node, Group):
            tokens += _group(node, base, describe)
        else:
            tokens.append(Token("single" if isinstance(node, Single) else "anchor", node))
    return [*tokens, Token("close", form)] if span is not None else tokens


def _group(group: Group, outer: Text | None, describe: Describe) -> list[Token]:
    """A group without words of its own is one thing."""
    if not any(text.text.strip() for text in texts_in(group.children)):
        return [Token("single", group)]
    base = _most(group.children) or outer
    group.base = base.run if base is not None else None
    return [Token("open", group), *_tokens(group.children, base, describe), Token("close", group)]


def _next_text(nodes: Sequence[Node], index: int) -> Text | None:
    return next((node for node in nodes[index + 1 :] if isinstance(node, Text)), None)


def _blanks_told(nodes: Sequence[Node]) -> list[Node]:
    """White space that can be seen is a thing, unless it goes on in the look of the words beside it."""
    told: list[Node] = []
    for index, node in enumerate(nodes):
        if isinstance(node, Text) and node.blank is not None:
            beside = [*told[-1:], *nodes[index + 1 : index + 2]]
            if not any(isinstance(each, Text) and each.look == node.look for each in beside):
                told.append(Single("other", node.blank, stays=True))
                continue
        told.append(node)
    return told


def _spaces_joined(nodes: Sequence[Node]) -> list[Node]:
    """White space takes the look of the words beside it: one that has no line under it looks like nothing."""
    texts = [node for node in nodes if isinstance(node, Text)]
    taken: dict[int, Text] = {}
    for index, text in enumerate(texts):
        if not text.text.isspace():
            continue
        before = texts[index - 1] if index else None
        before = taken.get(id(before), before) if before is not None else None
        after = texts[index + 1] if index + 1 < len(texts) else None
        beside = [each for each in (before, after) if each is not None]
        if beside and (all(each.look == beside[0].look for each in beside) or text.look not in _looks(beside)):
            taken[id(text)] = beside[0]
    return [_like(node, taken) for node in nodes]


def _looks(texts: list[Text]) -> list[Hashable]:
    return [text.look for text in texts]


def _like(node: Node, taken: dict[int, Text]) -> Node:
    other = taken.get(id(node))
    return Text(node.text, other.run, other.look) if other is not None and isinstance(node, Text) else node
