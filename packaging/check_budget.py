"""Counts the lines of code of each package against [tool.fireside.budget] in pyproject.toml; fails when one is over.

A line counts when it holds code: not blank, not only a comment, not part of a docstring.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
import tomllib
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def code_lines(source: str) -> int:
    """How many lines of `source` hold code."""
    docstrings = docstrings_of(source)
    standing = {number for lines in docstrings for number in lines}
    if sum(source.count(quotes) for quotes in ('"""', "'''")) > 2 * len(docstrings):
        return len(token_lines(source) - standing)
    written = ((number, line.strip()) for number, line in enumerate(source.split("\n"), 1))
    return len({number for number, line in written if line and not line.startswith("#")} - standing)


def token_lines(source: str) -> set[int]:
    """The lines with tokens. Slow; needed only where a text over several lines may hold what looks like a comment."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node, and what holds them; the expressions in them are ten times as many."""
    waiting = deque([tree])
    while waiting:
        node = waiting.popleft()
        for name in ("body", "handlers", "orelse", "finalbody", "cases"):
            waiting.extend(getattr(node, name, ()))
        yield node


def docstrings_of(source: str) -> list[range]:
    """The lines of each text that stands alone: docstrings of modules, classes, functions and fields."""
    found: list[range] = []
    for node in statements(ast.parse(source)):
        alone = (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        )
        if alone:
            found.append(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def owner(path: str, packages: list[str]) -> str:
    """The longest package of the budget that holds this file."""
    holding = [name for name in packages if path.startswith(f"{name}/")]
    return max(holding, key=len, default="")


def count(root: Path, packages: list[str]) -> Counter[str]:
    """Lines of code per package of the budget; files that none holds count under an empty name."""
    found: Counter[str] = Counter(dict.fromkeys(packages, 0))
    for file in sorted(root.glob("app/**/*.py")):
        found[owner(file.relative_to(root).as_posix(), packages)] += code_lines(file.read_text("utf-8"))
    return found


def main(root: Path = ROOT) -> int:
    """Prints the table; 1 when something is over."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    budget: dict[str, int] = project["tool"]["fireside"]["budget"]
    lines = count(root, list(budget))
    failed = False
    for name, used in sorted(lines.items()):
        allowed = budget.get(name, 0)
        over = used > allowed
        failed |= over
        print(f"{name or '(no package)':<14} {used:>6} of {allowed:>6} lines{'  over' if over else ''}")
    print(f"{'together':<14} {lines.total():>6} of {sum(budget.values()):>6} lines")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
