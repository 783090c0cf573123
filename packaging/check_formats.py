"""Finds numbers, dates and lists of the window that are not written by `app/ui/locale_formats.py`, their one door.

A line that is for a file or another program, the same in every language, says so in a comment: "in every language".
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOOR = "locale_formats.py"
SAME = "in every language"
_NUMBER = re.compile(r"^[,.\d]*[,.][\d]*[a-z%]?$|^[\d]*[nge]$")


def main() -> int:
    """Print each place; return 1 if there is one."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {words}"
        for path in sorted((ROOT / "app/ui").rglob("*.py"))
        if path.name != DOOR
        for line, words in find_own_formats(path.read_text("utf-8"))
    ]
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


def find_own_formats(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and remark of each number, date or list that is written without the door."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        words = _remark(node)
        if words and SAME not in lines[(node.end_lineno or node.lineno) - 1]:  # type: ignore[attr-defined]
            yield node.lineno, words  # type: ignore[attr-defined]


def _remark(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return _remark_on_text(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        of = node.func.value
        if node.func.attr == "strftime":
            return "strftime writes no language's dates"
        if node.func.attr == "join" and isinstance(of, ast.Constant) and of.value in (", ", " · ", " and "):
            return "join_list, join_with_and and join_facts join what is shown"
        if node.func.attr == "toString" and isinstance(of, ast.Call) and getattr(of.func, "id", "") == "QLocale":
            return "QLocale() is not the window's language"
    return ""


def _remark_on_text(text: ast.JoinedStr) -> str:
    for part, after in zip(text.values, [*text.values[1:], None], strict=True):
        if isinstance(part, ast.FormattedValue):
            spec = ast.unparse(part.format_spec)[2:-1] if part.format_spec is not None else ""
            if _NUMBER.match(spec) or "%" in spec:
                return f"a number with the format {spec}"
            if isinstance(after, ast.Constant) and str(after.value).startswith(" %"):
                return "a percentage by hand"
    return ""


if __name__ == "__main__":
    sys.exit(main())
