"""Prints what the house is like for a newcomer: sizes, circles, arrows; beside it the figures of 26 November 2026.

One line a figure: what it is, today's value, the aim where there is one, the old value. `make house` calls it.
`--check` compares what makes a program hard to change with the ceilings in [tool.fireside.house] in pyproject.toml,
which only fall; `--write` puts today's figures there.
"""

from __future__ import annotations

import ast
import gc
import re
import statistics
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import grimp
from check_budget import code_lines, statements
from names import name_figures, risen
from screen_texts import called_name, write_ceilings

ROOT = Path(__file__).resolve().parents[1]
LONG_FUNCTION_LINES = 60
LARGE_CLASS_METHODS = 25
LARGEST_CLASS_METHODS = 30
HOUSE_TABLE = "[tool.fireside.house]"
SECONDS_FILE = Path(".venv/stamps/test-seconds")
"""Written by `make test` after a whole run that passed."""

# Counted on the commit of 26 November 2026 with this program; the seconds are those of that day's notes. The names
# were counted on 28 November, with rules that differ a little at the edges.
OLD = {
    "files": "635",
    "lines": "85,700",
    "lines of code": "63,508",
    "lines of a file, median": "118",
    "lines of a file, 90th percentile": "256",
    "lines of the longest file": "401",
    "functions over 60 lines": "1",
    "classes over 25 methods": "15",
    "classes over 30 methods": "7",
    "circles": "8",
    "arrows up": "0",
    "imports, share of lines": "7.8 %",
    "lines of tests per line of code": "0.83",
    "seconds of make test": "840",
    "class names used twice": "169",
    "module names used twice": "66",
    "one-word classes, %": "54",
    "one-word functions, %": "48",
    "riddles": "600",
    "loops over one or each": "1,139",
    "docstrings of 8 words or fewer": "1,378",
    "texts of the screen in tests": "1,305",
    "section banners": "526",
    "lines with a comment, %": "1.4",
}
AIMS = {
    "files": "320",
    "lines": "76,000",
    "functions over 60 lines": "1",
    "classes over 25 methods": "5",
    "classes over 30 methods": "0",
    "circles": "0",
    "arrows up": "0",
    "imports, share of lines": "6 %",
    "seconds of make test": "420",
    "class names used twice": "20",
    "module names used twice": "15",
    "one-word classes, %": "25",
    "one-word functions, %": "35",
    "riddles": "40",
    "loops over one or each": "30",
    "texts of the screen in tests": "60",
    "section banners": "0",
    "lines with a comment, %": "3",
}

ADVICE = dict.fromkeys(
    ("connections in ui", "signals in ui"),
    "Hand in a function, or hold the member instead of a signal that only hands on.",
)
"""What to do about a figure that has risen."""
COMMENT = re.compile(r"^\s*# |  # (?!noqa|type:|pragma)")
"""At a line of its own or behind code; what is for a tool is none."""
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Counted:
    """What is counted in one file; `methods` has a number for each class, `functions` the lines of each."""

    lines: int
    imports: int
    functions: list[int]
    methods: list[int]
    comments: int
    connections: int
    signals: int


def counted(source: str) -> Counted:
    """Counts one module. A decorated function begins at its `def`; lines of imports are those at any depth."""
    tree = ast.parse(source)
    nodes = list(statements(tree))
    # Expressions are ten times as many as statements, and few files have any of these.
    inner = list(ast.walk(tree)) if re.search(r"\.connect\(|\bSignal\(", source) else []
    return Counted(
        lines=len(source.splitlines()),
        imports=sum(_height(node) for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))),
        functions=[_height(node) for node in nodes if isinstance(node, _Function)],
        methods=[
            sum(isinstance(member, _Function) for member in node.body)
            for node in nodes
            if isinstance(node, ast.ClassDef)
        ],
        comments=sum(COMMENT.search(line) is not None for line in source.splitlines()),
        connections=sum(isinstance(n, ast.Call) and called_name(n) == "connect" for n in inner),
        signals=sum(isinstance(n, (ast.Assign, ast.AnnAssign)) and _makes_signal(n.value) for n in inner),
    )


def _makes_signal(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and called_name(value) == "Signal"


def count_files(root: Path) -> dict[Path, Counted]:
    """Count every module of the program."""
    return {path: counted(path.read_text("utf-8")) for path in sorted(root.glob("app/**/*.py"))}


def _height(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def circles(graph: grimp.ImportGraph) -> list[list[str]]:
    """Groups of modules each of which imports, over others, itself; an import inside a function counts too."""
    found: list[list[str]] = []
    seen: set[str] = set()
    for module in sorted(graph.modules):
        if module in seen:
            continue
        both = graph.find_upstream_modules(module) & graph.find_downstream_modules(module)
        if both:
            found.append(sorted(both | {module}))
            seen |= both
    return found


def arrows_up(graph: grimp.ImportGraph, layers: list[str]) -> list[str]:
    """Imports of one part of the program by another that lies below it, after the layers of import-linter."""
    floor = {name.strip(): level for level, row in enumerate(reversed(layers)) for name in row.split("|")}
    found: set[str] = set()
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            lower, upper = _part(importer), _part(imported)
            if lower in floor and upper in floor and floor[lower] < floor[upper]:
                found.add(f"{lower} -> {upper}")
    return sorted(found)


def _part(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def structure_figures(root: Path, files: dict[Path, Counted]) -> dict[str, float]:
    """Return the figures that have a ceiling. The imports are always those of this checkout."""
    functions = [height for file in files.values() for height in file.functions]
    classes = [methods for file in files.values() for methods in file.methods]
    window = [file for path, file in files.items() if (root / "app/ui") in path.parents]
    graph = grimp.build_graph("app", cache_dir=None)
    contracts = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return {
        "classes over 25 methods": sum(methods > LARGE_CLASS_METHODS for methods in classes),
        "functions over 60 lines": sum(height > LONG_FUNCTION_LINES for height in functions),
        "lines of the longest file": max(file.lines for file in files.values()),
        "circles": len(circles(graph)),
        "arrows up": len(arrows_up(graph, layers)),
        "connections in ui": sum(file.connections for file in window),
        "signals in ui": sum(file.signals for file in window),
    }


def figures(root: Path = ROOT) -> dict[str, str]:
    """Every figure as it is printed, by its name."""
    by_path = count_files(root)
    files = list(by_path.values())
    sizes = [file.lines for file in files]
    code, code_of_tests = (
        sum(code_lines(path.read_text("utf-8")) for path in root.glob(pattern))
        for pattern in ("app/**/*.py", "tests/**/*.py")
    )
    classes = [methods for file in files for methods in file.methods]
    seconds = root / SECONDS_FILE
    return {
        "files": f"{len(files)}",
        "lines": f"{sum(sizes):,}",
        "lines of code": f"{code:,}",
        "lines of a file, median": f"{statistics.median(sizes):.0f}",
        "lines of a file, 90th percentile": f"{statistics.quantiles(sizes, n=10)[-1]:.0f}",
        **{name: f"{value:,g}" for name, value in structure_figures(root, by_path).items()},
        "classes over 30 methods": f"{sum(methods > LARGEST_CLASS_METHODS for methods in classes)}",
        "imports, share of lines": f"{100 * sum(file.imports for file in files) / sum(sizes):.1f} %",
        "lines of tests per line of code": f"{code_of_tests / code:.2f}",
        "seconds of make test": seconds.read_text("utf-8").strip() if seconds.exists() else "not run here",
        **{name: f"{value:,g}" for name, value in name_figures(root).items()},
        "lines with a comment, %": f"{100 * sum(file.comments for file in files) / sum(sizes):.1f}",
    }


def check_structure(root: Path, *, write: bool = False) -> int:
    """Print what has risen above its ceiling, 1 when something has; or put today's figures there."""
    sys.path.insert(0, str(ROOT))
    found, project = structure_figures(root, count_files(root)), root / "pyproject.toml"
    if write:
        write_ceilings(found, project, HOUSE_TABLE)
        return 0
    ceilings = tomllib.loads(project.read_text("utf-8"))["tool"]["fireside"]["house"]
    worse = risen(found, ceilings, ADVICE, "Cut along a responsibility, and import down.")
    print("\n".join(worse) or "house: no figure has risen")
    return int(bool(worse))


def main(root: Path = ROOT) -> int:
    """Prints the table. The imports are always those of this checkout."""
    sys.path.insert(0, str(ROOT))
    print(f"{'':<34}{'today':>14}{'aim':>10}{'26 Nov 2026':>14}")
    for name, value in figures(root).items():
        print(f"{name:<34}{value:>14}{AIMS.get(name, ''):>10}{OLD.get(name, ''):>14}")
    return 0


if __name__ == "__main__":
    gc.disable()  # as in names.py
    sys.exit(check_structure(ROOT, write="--write" in sys.argv[1:]) if sys.argv[1:] else main())
