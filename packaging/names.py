"""Counts the names of the program against [tool.fireside.names] in pyproject.toml; fails when a figure has risen.

A name of one word, or one that two classes share, can be neither guessed nor found by a search; a text of the screen
that a test holds breaks it when the text is reworded. The figures are ceilings that only fall: after names were mended,
`--write` puts today's figures into pyproject.toml.
"""

from __future__ import annotations

import ast
import gc
import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from held_texts import held_texts
from screen_texts import write_ceilings

ROOT = Path(__file__).resolve().parents[1]
RIDDLES = frozenset("look take say tell of put fit keep whole place follow words leave cut hear bring".split())  # noqa: SIM905
"""Functions so called say neither what is done nor to what."""
EMPTY_VARIABLES = frozenset({"one", "each"})
QT_OVERRIDES = frozenset("event data flags parent index paint show hide close accept reject done run".split())  # noqa: SIM905
"""One-word methods that Qt gave their names."""
PROPERTIES = frozenset({"property", "cached_property", "setter"})
SHORT_DOCSTRING_WORDS = 8
NAMES_TABLE = "[tool.fireside.names]"
HELD_TEXTS = "texts of the screen in tests"
BANNERS = "section banners"
ADVICE = {
    HELD_TEXTS: "Ask for an object's name or import the constant; packaging/held_texts.py lists them.",
    BANNERS: "Give the section a module of its own, or the comment the line it is about.",
}
"""What to do about a figure that is none of names."""
USUAL_ADVICE = "Give the new names two or three of the trade's words."
_WORDS_OF_CLASS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+")


def is_one_word(name: str) -> bool:
    """Return whether a class or function is called by one word, whatever underscores stand around it."""
    bare = name.strip("_")
    return "_" not in bare and len(_WORDS_OF_CLASS.findall(bare)) < 2


def count_banners(source: str) -> int:
    """Count comments that stand alone between blank lines: headings of sections within a file, not of any line."""
    blocks = re.split(r"\n\s*\n", source.strip())
    return sum(all(line.lstrip().startswith("#") for line in block.split("\n")) for block in blocks[1:])


@dataclass
class ModuleNames:
    """What one module adds to the figures."""

    classes: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    empty_variables: int = 0
    short_docstrings: int = 0

    def add(self, node: ast.AST) -> None:
        """Count one node of the syntax tree."""
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            self.empty_variables += any(
                isinstance(part, ast.Name) and part.id in EMPTY_VARIABLES for part in ast.walk(node.target)
            )
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._add_docstring(node)
            if not _is_named_elsewhere(node):
                self.functions.append(node.name)
        elif isinstance(node, ast.ClassDef):
            self._add_docstring(node)
            self.classes.append(node.name)

    def _add_docstring(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        text = ast.get_docstring(node, clean=False)
        self.short_docstrings += text is not None and len(text.split()) <= SHORT_DOCSTRING_WORDS


def _is_named_elsewhere(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether Python or Qt gave a function its name, or it is a property, whose name is a noun."""
    is_property = any(_last_name(decorator) in PROPERTIES for decorator in node.decorator_list)
    return is_property or node.name.startswith("__") or node.name in QT_OVERRIDES


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def names_of(source: str) -> ModuleNames:
    """Count the names of one module."""
    found = ModuleNames()
    for node in ast.walk(ast.parse(source)):
        found.add(node)
    return found


def name_figures(root: Path = ROOT) -> dict[str, float]:
    """Return every figure by its name; shares in percent."""
    paths = sorted(root.glob("app/**/*.py"))
    sources = [path.read_text("utf-8") for path in paths]
    found = [names_of(source) for source in sources]
    classes = [name for module in found for name in module.classes]
    functions = [name for module in found for name in module.functions]
    modules = Counter(path.stem for path in paths if path.stem != "__init__")
    return {
        "class names used twice": sum(count > 1 for count in Counter(classes).values()),
        "module names used twice": sum(count > 1 for count in modules.values()),
        "one-word classes, %": _percent(sum(map(is_one_word, classes)), len(classes)),
        "one-word functions, %": _percent(sum(map(is_one_word, functions)), len(functions)),
        "riddles": sum(name.strip("_") in RIDDLES for name in functions),
        "loops over one or each": sum(module.empty_variables for module in found),
        "docstrings of 8 words or fewer": sum(module.short_docstrings for module in found),
        HELD_TEXTS: len(held_texts(root)),
        BANNERS: sum(map(count_banners, sources)),
    }


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def risen(
    figures: dict[str, float], ceilings: dict[str, float], advice: dict[str, str] = ADVICE, usual: str = USUAL_ADVICE
) -> list[str]:
    """Return a sentence for each figure above its ceiling."""
    return [
        f"{name}: {value:g}, at most {ceilings.get(name, 0):g}. {advice.get(name, usual)}"
        for name, value in figures.items()
        if value > ceilings.get(name, 0)
    ]


def main(root: Path = ROOT, *, write: bool = False) -> int:
    """Print what has risen; 1 when something has."""
    figures = name_figures(root)
    project = root / "pyproject.toml"
    if write:
        write_ceilings(figures, project, NAMES_TABLE)
        return 0
    ceilings: dict[str, float] = tomllib.loads(project.read_text("utf-8"))["tool"]["fireside"]["names"]
    worse = risen(figures, ceilings)
    print("\n".join(worse) or "names: no figure has risen")
    return int(bool(worse))


if __name__ == "__main__":
    gc.disable()  # the trees of all modules stay to the end; looking through them again and again took most of the time
    sys.exit(main(write="--write" in sys.argv[1:]))
