"""Finds the texts of the screen that tests hold as literals, so that rewording one breaks tests of what is behind it.

A test asks for an object's name, a role or the constant that the window shows. Only the files in `READS_ON_PURPOSE`
read real sentences. `names.py` counts the others against a ceiling; run by itself, this program lists them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
READS_ON_PURPOSE = frozenset({"tests/ui/test_i18n.py"})
"""Journeys through the window that read its sentences as a person does, and the tests of `tr` itself."""
OWN_WORDS = frozenset({"English", "Long", "None", "Other"})
"""What tests call things of their own: languages, chats, models, answers of a script."""
NUMBERS = frozenset(
    "all bits bytes characters count days done first free head hours kept last layer merges minutes more n needed"  # noqa: SIM905
    " number page percent place read seconds sections share shown size some speed tokens total used".split()
)
"""Fields that are filled in with a number, which keeps their texts from matching any sentence."""
FEWEST_LETTERS, FEWEST_WITH_WORDS = 3, 8
"""Beside its fields; where one of them takes words, a text with fewer would match any sentence."""
SEARCHING_METHODS = frozenset({"startswith", "endswith"})
_FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class HeldText:
    """One literal of a test, and the text of the program that it repeats."""

    path: str
    line: int
    literal: str
    text: str


@dataclass(frozen=True)
class Template:
    """A text with fields, and what it looks like once they are filled in."""

    text: str
    start: str
    end: str
    pattern: re.Pattern[str]

    @classmethod
    def of_text(cls, text: str) -> Template | None:
        """Return the template of a text; None where too little stands between its fields."""
        fixed = _FIELD.split(text)[::2]
        names = [re.split(r"\W", field)[0] for field in _FIELD.findall(text)]
        fewest = FEWEST_LETTERS if NUMBERS.issuperset(names) else FEWEST_WITH_WORDS
        if sum(letter.isalpha() for letter in "".join(fixed)) < fewest:
            return None
        fields = [_pattern_of_field(field) for field in _FIELD.findall(text)]
        pattern = "".join(re.escape(part) + field for part, field in zip(fixed, [*fields, ""], strict=True))
        return cls(text, fixed[0], fixed[-1], re.compile(pattern))

    def matches(self, literal: str) -> bool:
        """Return whether the literal is this text with something in its fields."""
        is_near = literal.startswith(self.start) and literal.endswith(self.end)
        return is_near and self.pattern.fullmatch(literal) is not None


def _pattern_of_field(field: str) -> str:
    if re.split(r"\W", field)[0] in NUMBERS:
        return r"\d(?:[\d.,]*\d)?(?: ?[kMG]?B|[kM])?"
    return r"(?:(?! · |\. |: |, )[^\n])+?"


def screen_texts(root: Path = ROOT) -> set[str]:
    """Return every text that `tr` is given: literals, and the constants that stand for one in any module of app."""
    trees = [ast.parse(path.read_text("utf-8")) for path in sorted(root.glob("app/**/*.py"))]
    constants: defaultdict[str, set[str]] = defaultdict(set)
    for tree in trees:
        for name, text in _constants_of(tree):
            constants[name].add(text)
    found: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            if _is_translated(node):
                found.update(*(_texts_of(argument, constants) for argument in _choices(node.args[0])))
    return found


def _constants_of(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names of a module that stand for a text, and those that stand for a table of texts."""
    for node in tree.body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        values = node.value.values if isinstance(node.value, ast.Dict) else [node.value]
        for target in targets:
            if isinstance(target, ast.Name):
                yield from (
                    (target.id, value.value)
                    for value in values
                    if isinstance(value, ast.Constant) and isinstance(value.value, str)
                )


def _is_translated(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr" and bool(node.args)


def _choices(argument: ast.expr) -> list[ast.expr]:
    if isinstance(argument, ast.IfExp):
        return [*_choices(argument.body), *_choices(argument.orelse)]
    return [argument]


def _texts_of(argument: ast.expr, constants: dict[str, set[str]]) -> set[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return {argument.value}
    if isinstance(argument, ast.Subscript):
        argument = argument.value
    name = argument.attr if isinstance(argument, ast.Attribute) else getattr(argument, "id", "")
    return constants.get(name, set())


def held_texts(root: Path = ROOT) -> list[HeldText]:
    """Return each literal in tests/ui that is a text of the screen, one with its fields filled in, or a part of one."""
    texts = screen_texts(root)
    templates = [template for text in texts if "{" in text and (template := Template.of_text(text)) is not None]
    found: list[HeldText] = []
    for path in sorted(root.glob("tests/ui/**/*.py")):
        name = path.relative_to(root).as_posix()
        if name in READS_ON_PURPOSE:
            continue
        for literal in _literals(ast.parse(path.read_text("utf-8"))):
            text = _text_behind(literal, texts, templates)
            if text is not None:
                found.append(HeldText(name, literal.line, literal.value, text))
    return found


@dataclass(frozen=True)
class TestLiteral:
    """A literal of a test that may be a text; `is_part`: what is shown is searched for it."""

    line: int
    value: str
    is_part: bool


def _text_behind(literal: TestLiteral, texts: set[str], templates: list[Template]) -> str | None:
    value = literal.value
    if value in OWN_WORDS:
        return None
    if value in texts:
        return value
    if literal.is_part and " " in value.strip():
        return next((text for text in texts if value.strip() in text), None)
    return next((template.text for template in templates if template.matches(value)), None)


def _literals(tree: ast.Module) -> Iterator[TestLiteral]:
    """Yield what may be a text: no docstring, and no single word in small letters, which is a name or an answer."""
    documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) for part in _searched_for(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            is_word = " " not in node.value and node.value == node.value.lower()
            if not is_word:
                yield TestLiteral(node.lineno, node.value, id(node) in parts)


def _searched_for(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        return [node.left]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SEARCHING_METHODS:
        return node.args
    return []


def main() -> int:
    """Print every literal with its place."""
    for held in held_texts():
        print(f"{held.path}:{held.line}: {held.literal!r}" + (f" ({held.text!r})" if held.text != held.literal else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
