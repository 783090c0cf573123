"""Finds numbers, dates and lists of the window that are not written by `app/ui/locale_formats.py`, their one door.

Lists of messages and of the terminal, too, which `app/core/joined_texts.py` joins.

A line that is for a file or another program, the same in every language, says so in a comment: "in every language".
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOOR = "locale_formats.py"
SAME = "in every language"
_SHOWN_JOINTS, _TOLD_JOINTS = (", ", " · ", " and "), (", ", "; ", " and ")
_NUMBER = re.compile(r"^[,.\d]*[,.][\d]*[a-z%]?$|^[\d]*[nge]$")


def main() -> int:
    """Print each place; return 1 if there is one."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {words}"
        for folder, remark in CHECKED.items()
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name != DOOR
        for line, words in find_own_formats(path.read_text("utf-8"), remark)
    ]
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


def remark_on_format(node: ast.AST) -> str:
    """Return what is wrong with a number, date or list of the window; "" for nothing."""
    if isinstance(node, ast.JoinedStr):
        return _remark_on_text(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        of = node.func.value
        if node.func.attr == "strftime":
            return "strftime writes no language's dates"
        if node.func.attr == "toString" and isinstance(of, ast.Call) and getattr(of.func, "id", "") == "QLocale":
            return "QLocale() is not the window's language"
    return "join_list, join_with_and and join_facts join what is shown" if _is_join(node, _SHOWN_JOINTS) else ""


def remark_on_list(node: ast.AST) -> str:
    """Return what is wrong with a list where there is no window; "" for nothing."""
    return "join_entries, join_with_last and join_clauses join what is shown" if _is_join(node, _TOLD_JOINTS) else ""


CHECKED = {"app/ui": remark_on_format, "app/features": remark_on_list, "app/cli": remark_on_list}


def find_own_formats(source: str, remark: Callable[[ast.AST], str] = remark_on_format) -> Iterator[tuple[int, str]]:
    """Yield line and remark of each number, date or list that is written without the door."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        words = remark(node)
        if words and SAME not in lines[(node.end_lineno or node.lineno) - 1]:  # type: ignore[attr-defined]
            yield node.lineno, words  # type: ignore[attr-defined]


def _is_join(node: ast.AST, joints: Sequence[str]) -> bool:
    is_join = isinstance(node, ast.Attribute) and node.attr == "join" and isinstance(node.value, ast.Constant)
    return is_join and node.value.value in joints  # type: ignore[attr-defined]


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
