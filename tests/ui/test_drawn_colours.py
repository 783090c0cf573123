"""Contrast of the colours that really meet: those of each rule of the style sheets, and of each function that paints.

What test_theme.py lists is checked in full; here the program's own sources say what is missing there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from itertools import product

import pytest

from app.core.paths import resource_path
from app.ui.theme import DARK, HIGH_DARK, HIGH_LIGHT, LIGHT, Tokens
from tests.ui.test_theme import MEETING_GROUNDS, UI, WORDS, contrast

TOKENS = {field.name for field in fields(Tokens)}
LINES = {"line", "edge", "outline", "scroll", "focus", "chosen_edge"}
"""Lines, thumbs and rings, on which nothing is written; what is disabled is written in `outline`."""
LIMITED = {"selection", "mark", "chosen", "pressed", "unsure"}
"""Grounds with a few inks, each of them with those that its painters use."""
INKS = {*WORDS, "on_accent"}
FILLS = {"accent", "danger", "success", "warning", "muted", "text", "on_accent"}
"""Inks that fill shapes, too: buttons, dots, bars, tool tips."""
INK_CALLS = {"setPen", "QPen", "mkPen", "setForeground", "icon", "paint_marked"}
GROUND_CALLS = {"setBrush", "fillRect", "fillPath", "setBackground", "smooth_painter", "mkBrush"}
APART = {
    ("SendButton.paintEvent", "text", "accent"): "the ring around what is filled",
    ("Switch.paintEvent", "text", "accent"): "the ring around what is filled",
    ("Switch.paintEvent", "accent", "outline"): "a switch that is on, and one that is off",
    ("Switch.paintEvent", "text", "outline"): "the ring around a switch",
    ("TurnMarks._select", "text", "accent"): "the chosen hit is written in on_accent",
    ("TurnMarks._select", "on_accent", "mark"): "the other hits are written in text",
    ("PiecePainter.paint", "text", "muted"): "a bar behind no word",
    ("paint_guess", "muted", "outline"): "a line above the last row",
    ("paint_guess", "text", "outline"): "a line above the last row",
    ("paint_guess", "muted", "selection"): "a tenth of it at most, see below",
    ("ArcsDrawing._paint_token", "muted", "selection"): "later tokens have no ground",
    ("ScatterPlot._draw_line", "accent", "selection"): "a curve in its band",
    ("StatementGround._paint_sign", "warning", "muted"): "an exclamation mark or a bullet",
    ("paint_mark", "on_accent", "surface"): "a check mark on accent, and an empty box",
}
"""Pairs that one function paints at different places: its name, ink, ground, and why they don't meet."""

OWN_INK = {
    ("RowIcon.paintEvent", "pressed"): "an icon, for which 3:1 is enough",
    ("ground_of", "unsure"): "its levels are tested in test_theme.py",
}
"""Grounds that are painted without an ink, and why not every ink comes onto them."""

Pair = tuple[str, str, str]


def painted_colours(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Yield each token that a function names, and what for: ink, ground, or other."""

    def walk(node: ast.AST, role: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.Attribute) and node.attr in TOKENS and _is_tokens(node.value):
            yield node.attr, "ground" if node.attr in LIMITED and role == "other" else role
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            inside = "ink" if name in INK_CALLS else "ground" if name in GROUND_CALLS else role
            # Font, colour and background, in this order or by name.
            places = [*("font", "color", "background")[: len(node.args)], *(keyword.arg for keyword in node.keywords)]
            roles = {"color": "ink", "background": "ground"} if name == "char_format" else {}
            yield from walk(node.func, role)
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            for at, value in enumerate(values):
                yield from walk(value, roles.get(places[at] or "", inside) if roles else inside)
            return
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.FunctionDef):
                yield from walk(child, role)

    yield from walk(function, "other")


def _is_tokens(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "tokens") or (
        isinstance(node, ast.Attribute) and node.attr == "tokens"
    )


@lru_cache
def painters() -> list[tuple[str, set[str], set[str]]]:
    """Return every function of the window that paints: its name, inks, and grounds."""
    painting = []
    for path in sorted(UI.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8")) if "tokens." in path.read_text("utf-8") else ast.Module([], [])
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        owners = {node: f"{owner.name}." for owner in classes for node in ast.walk(owner)}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (found := set(painted_colours(node))):
                inks, grounds = ({token for token, role in found if role == wanted} for wanted in ("ink", "ground"))
                painting.append((f"{owners.get(node, '')}{node.name}", inks, grounds))
    return painting


def rules() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield every rule of the style sheets: its selectors, and its properties whose value is a colour."""
    for path in sorted(resource_path("styles").glob("*.qss")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
        for selectors, body in re.findall(r"([^{}]+)\{([^}]*)\}", text):
            yield selectors.strip(), dict(re.findall(r"([\w-]+):[^;]*?\$(\w+)", body))


def test_every_colour_is_used_as_what_it_is_tested_as() -> None:
    assert INKS | LINES | LIMITED | set(MEETING_GROUNDS) >= TOKENS, "classify it, and its pairs are tested"
    for name, inks, grounds in painters():
        assert inks <= INKS | LINES | {"background"}, name
        assert grounds <= {*MEETING_GROUNDS, *LIMITED, *FILLS, *LINES}, name
    for selectors, colours in rules():
        for key, token in colours.items():
            if key in ("color", "placeholder-text-color", "selection-color"):
                allowed = INKS | {"background"} | ({"outline"} if ":disabled" in selectors else set())
            elif "background" in key:
                allowed = {*MEETING_GROUNDS, *LIMITED, *FILLS, *LINES}
            else:
                allowed = TOKENS
            assert token in allowed, (selectors, key)


def drawn_pairs() -> set[Pair]:
    """Return every ink and ground that one function or one rule draws, and where."""
    found = {
        (name, ink, ground)
        for name, inks, grounds in painters()
        for ink, ground in product(inks - LINES, grounds)
        if ink != ground
    }
    found |= {
        (selectors, colours["color"], colours["background"])
        for selectors, colours in rules()
        if {"color", "background"} <= colours.keys() and ":disabled" not in selectors
    }
    return found


@pytest.mark.parametrize(
    ("tokens", "least"),
    [(LIGHT, 4.5), (DARK, 4.5), (HIGH_LIGHT, 7), (HIGH_DARK, 7)],
    ids=["light", "dark", "high light", "high dark"],
)
def test_colours_that_are_drawn_together_can_be_read(tokens: Tokens, least: float) -> None:
    pairs = drawn_pairs()
    assert pairs >= APART.keys(), "an exception that nothing draws any more"
    faint = {
        (where, ink, ground): round(ratio, 2)
        for where, ink, ground in sorted(pairs - APART.keys())
        if (ratio := _ratio(tokens, ink, ground)) < least
    }
    assert not faint


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_grounds_without_ink_of_their_own_can_carry_any(tokens: Tokens) -> None:
    """Another function, or another widget, writes on them."""
    faint = []
    for name, inks, grounds in painters():
        pairs = product(WORDS, grounds & LIMITED) if not inks - LINES else ()
        faint += [(name, *pair) for pair in pairs if (name, pair[1]) not in OWN_INK and _ratio(tokens, *pair) < 4.5]
    for selectors, colours in rules():
        if (ground := colours.get("background")) in LIMITED and "color" not in colours:
            least = {ink: 4.5 if ink in ("text", "muted") else 3 for ink in WORDS}
            faint += [(selectors, ink, ground) for ink in WORDS if _ratio(tokens, ink, ground) < least[ink]]
    assert not faint


def _ratio(tokens: Tokens, ink: str, ground: str) -> float:
    return contrast(getattr(tokens, ink), getattr(tokens, ground))
