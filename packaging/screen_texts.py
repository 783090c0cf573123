"""Prints every text of the screen and the terminal with its place, and counts those that break a rule of style.

`--check` compares the counts with the ceilings in [tool.fireside.texts] in pyproject.toml, which only fall; `--write`
puts today's counts there; `--broken` prints the texts that break a rule.
"""

from __future__ import annotations

import ast
import gc
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXTS_TABLE = "[tool.fireside.texts]"
KINDS_BY_CALL = {
    "text_button": "button",
    "add_button": "button",
    "addButton": "button",
    "QPushButton": "button",
    "cancel_or": "button",
    "setToolTip": "tooltip",
    "IconButton": "tooltip",
    "plain_tip": "tooltip",
    "with_keys": "tooltip",
    "addAction": "menu",
    "addMenu": "menu",
    "QAction": "menu",
    "QMenu": "menu",
    "TurnAction": "menu",
    "FileAction": "menu",
    "window_title": "title",
    "setWindowTitle": "title",
    "file_dialog": "title",
    "add_heading": "title",
    "muted": "help",
    "mention": "notice",
    "announce": "notice",
    "announce_text": "notice",
    "show_notice": "notice",
    "undo": "notice",
    "Notice": "notice",
    "setPlaceholderText": "placeholder",
    "setAccessibleName": "spoken",
    "setAccessibleDescription": "spoken",
    "PersonMessage": "error",
    "ErrorText": "error",
    "NotPossible": "error",
}
"""What a text is, by the call that it is an argument of."""
KINDS_BY_PLACE = {
    ("ModelFact", 2): "help",
    ("Knob", 2): "help",
    ("CheckRow", 2): "help",
    ("RadioRow", 2): "help",
    ("add_setting", 1): "help",
    ("_add_switch", 1): "help",
    ("SegmentedControl", 0): "label",
}
"""The same, where the argument's position tells."""
MOST_CHARACTERS = {"button": 24, "tooltip": 80, "help": 140, "terminal help": 140}
BANNED = re.compile(
    r"\b(stands?|goes on|go on|is told|are told|beside|of its own|of their own|so many|so much"
    r"|may not be (?:read|opened|changed|sent|shown)|a person"
    r"|who asks|nobody|anew|whoever|whose|lies|lie|learnt|does without|do without|is another|another one"
    r"|of itself|by itself|what is|what was|what it|there is nothing|there is no|not any more|no longer there|wherein"
    r"|therein|in place of|at work|its own words|goes before|puts? in|came of|becomes of|let it)\b",
    re.IGNORECASE,
)
"""Words and phrases that no other program would show."""
OTHER_TERMS = {
    "cannot": "can't",
    "dialogue": "chat",
    "talk": "chat",
    "conversation": "chat",
    "directory": "folder",
    "erase": "delete",
    "preferences": "settings",
    "reply": "answer",
    "machine": "computer",
    "log in": "sign in",
    "image": "picture",
    "model’s memory": "context",
    "model's memory": "context",
    "could not": "couldn't",
    "do not": "don't",
    "does not": "doesn't",
    "did not": "didn't",
    "is not": "isn't",
    "was not": "wasn't",
    "are not": "aren't",
    "were not": "weren't",
}
"""Terms that the program has another one for."""
_OTHER_TERM = re.compile(r"\b(" + "|".join(map(re.escape, OTHER_TERMS)) + r")s?\b", re.IGNORECASE)
_FIELD = re.compile(r"\{[^}]*\}")
_TYPED = re.compile(r"--[a-z][a-z-]*|`[^`]*`")
"""Options and commands, which never change."""
_WORD = re.compile(r"[^\W\d_][\w’'-]*")
_PROPER = """
I Fireside Markdown English German French Hugging Face Ollama Python Windows Linux Word Excel PowerPoint
Inter Qt Wikipedia Ctrl Alt Shift Enter Esc Escape Tab Hub Vulkan Obsidian Claude
Zotero Wayland Debian Internet Mac Git Phosphor Settings Write Translate Download Downloads
Memories Mermaid Thursday Cologne Hunspell JetBrains Mono Studio Jan Open Tesseract Zotero
"""
PROPER = frozenset(_PROPER.split())
"""Words with a capital of their own."""
WITH_TEXTS_BELOW = ("app/ui/", "app/cli/", "app/core/errors/")
WITH_TEXTS = frozenset(
    f"app/{name}.py"
    for name in (
        "features/claim_checker/fetching",
        "features/exchange/chat_import",
        "features/exchange/open_branch",
        "features/inside/anatomy",
        "features/inside/patterns",
        "features/leaving",
        "features/models/choice",
        "features/summarize/laid_out",
        "features/survey/written_answer",
        "features/models/model_pool",
        "server/recipes",
    )
)
"""Other modules that hold texts for people; those named `…messages` are read anyway."""


@dataclass(frozen=True, order=True)
class ScreenText:
    """One text, where it is written and what it is shown as."""

    path: str
    line: int
    kind: str
    text: str


def literal_text(node: ast.AST) -> str | None:
    """Return the text that an expression writes, with `{}` fields for what is filled in; None for other expressions."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(
            "{" + ast.unparse(part.value) + "}" if isinstance(part, ast.FormattedValue) else literal_text(part) or ""
            for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = literal_text(node.left), literal_text(node.right)
        return None if left is None and right is None else (left or "{…}") + (right or "{…}")
    return None


def reads_as_text(text: str) -> bool:
    """Return whether a string reads as words for people, not as a key, pattern or style sheet."""
    return bool(re.match(r"[A-Z“{…1][^<>\\;|_]*$", text)) and bool(_WORD.search(_FIELD.sub("", text))) and " " in text


class TextFinder:
    """Finds the texts of a set of modules; a constant is resolved by its name, and of the kind of its use."""

    def __init__(self, root: Path = ROOT) -> None:
        self.trees = {
            path.relative_to(root).as_posix(): ast.parse(path.read_text("utf-8"))
            for path in sorted(root.glob("app/**/*.py"))
        }
        self.constants: dict[str, list[tuple[str, int, str]]] = {}
        self.imported: dict[tuple[str, str], tuple[str, str]] = {}
        self._found: dict[tuple[str, int, str], str] = {}
        for path, tree in self.trees.items():
            self._collect_constants(path, tree)

    def find(self) -> list[ScreenText]:
        """Return every text once for each place."""
        for path, tree in self.trees.items():
            for node, parents in walk_with_parents(tree):
                self._visit(path, node, parents)
        for path, tree in self.trees.items():
            if path.startswith(WITH_TEXTS_BELOW) or path.endswith("messages.py") or path in WITH_TEXTS:
                self._add_tables(path, tree)
        return sorted(ScreenText(path, line, kind, text) for (path, line, text), kind in self._found.items())

    def _collect_constants(self, path: str, tree: ast.Module) -> None:
        for statement in tree.body:
            if isinstance(statement, ast.ImportFrom) and statement.module:
                module = statement.module.replace(".", "/") + ".py"
                self.imported |= {(path, alias.asname or alias.name): (module, alias.name) for alias in statement.names}
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                text = literal_text(statement.value)
                if text:
                    name = statement.targets[0].id
                    self.constants.setdefault(name, []).append((path, statement.value.lineno, text))

    def _visit(self, path: str, node: ast.AST, parents: list[ast.AST]) -> None:
        if not isinstance(node, ast.Call):
            return
        name = called_name(node)
        if name == "tr" and node.args:
            self._add(path, node.args[0], kind_of([*parents, node]))
        elif name in {"PersonMessage", "ErrorText", "NotPossible"}:
            for value in [
                *node.args[:2],
                *(keyword.value for keyword in node.keywords if keyword.arg in {"text", "kept"}),
            ]:
                self._add(path, value, "error")
        elif path.startswith("app/cli/"):
            for keyword in node.keywords:
                if keyword.arg in {"help", "description", "epilog"}:
                    self._add(path, keyword.value, "terminal help")

    def _add(self, path: str, node: ast.AST, kind: str) -> None:
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        text = literal_text(node)
        if isinstance(node, ast.IfExp):
            self._add(path, node.body, kind)
            self._add(path, node.orelse, kind)
        elif text is not None and _WORD.search(_FIELD.sub("", text)):
            self._found.setdefault((path, node.lineno, text), kind)  # type: ignore[attr-defined]
        elif name:
            # Another module's constant of that name is another text.
            module, name = self.imported.get((path, name), (path, name))
            own = [place for place in self.constants.get(name, ()) if place[0] in {path, module}]
            for place in own or ([] if isinstance(node, ast.Name) else self.constants.get(name, ())):
                if self._found.get(place, "label") == "label":
                    self._found[place] = kind

    def _add_tables(self, path: str, tree: ast.Module) -> None:
        """Add what is written in tables, tests of conditions and the like, and reaches `tr` by way of a variable."""
        kind = "terminal" if path.startswith("app/cli/") else "label" if path.startswith("app/ui/") else "error"
        known = {(line, text) for at, line, text in self._found if at == path}
        for node, parents in walk_with_parents(tree):
            parent = parents[-1] if parents else None
            if isinstance(parent, (ast.Expr, ast.JoinedStr, ast.BinOp, ast.FormattedValue)):
                continue
            text = literal_text(node)
            if not text or not reads_as_text(text) or (node.lineno, text) in known:  # type: ignore[attr-defined]
                continue
            if not any(isinstance(above, ast.Call) and called_name(above) in _NOT_SHOWN for above in parents):
                self._found.setdefault((path, node.lineno, text), kind)  # type: ignore[attr-defined]


_NOT_SHOWN = frozenset({"compile", "setObjectName", "getLogger", "debug", "info", "warning", "exception", "strftime"})


def walk_with_parents(tree: ast.AST) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """Yield each node with those it is in, the outermost first."""
    stack: list[tuple[ast.AST, list[ast.AST]]] = [(tree, [])]
    while stack:
        node, parents = stack.pop()
        yield node, parents
        if children := children_of(node):
            inside = [*parents, node]
            stack += [(child, inside) for child in children]


def children_of(node: ast.AST) -> list[ast.AST]:
    """Return what stands directly in a node, but for operators and contexts: half of all nodes, and without text."""
    found: list[ast.AST] = []
    for name in _fields_of(type(node)):
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif isinstance(value, list):
            found += [part for part in value if isinstance(part, ast.AST)]
    return found


_WITHOUT_TEXT = frozenset({"arg", "attr", "ctx", "id", "kind", "op", "ops", "type_comment"})


@cache
def _fields_of(kind: type[ast.AST]) -> tuple[str, ...]:
    return tuple(name for name in kind._fields if name not in _WITHOUT_TEXT)


def called_name(node: ast.Call) -> str:
    """Return the last part of the name that is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def kind_of(path: list[ast.AST]) -> str:
    """Return what a text is shown as, by the nearest call that says so; `path` ends with the call of `tr`."""
    for inner, node in zip(reversed(path), reversed(path[:-1]), strict=False):
        if isinstance(node, ast.stmt):
            break
        if not isinstance(node, ast.Call):
            continue
        name = called_name(node)
        place = node.args.index(inner) if isinstance(inner, ast.expr) and inner in node.args else -1
        kind = KINDS_BY_PLACE.get((name, place)) or KINDS_BY_CALL.get(name)
        receiver = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if name == "setText" and "button" in receiver:
            kind = "button"
        if kind:
            return kind
    return "label"


def broken_rules(text: ScreenText) -> list[str]:
    """Return the rules that a text breaks."""
    bare = _FIELD.sub("", text.text)
    said = _TYPED.sub("", bare)
    broken = []
    if BANNED.search(said):
        broken.append("banned words")
    if len(bare) > MOST_CHARACTERS.get(text.kind, 1000):
        broken.append(f"too long for a {text.kind}")
    if _OTHER_TERM.search(said):
        broken.append("another term")
    if text.kind in {"button", "menu", "title", "label", "tooltip"} and has_title_case(bare):
        broken.append("title case")
    return broken


def has_title_case(text: str) -> bool:
    """Return whether a word within a sentence has a capital, other than a name or an abbreviation."""
    words = re.findall(r"(?<![.!?:…“(·]\s)(?<!^)(?<=[\w,] )[A-Z][a-z]+\b", text)
    return any(word not in PROPER for word in words)


def text_figures(texts: list[ScreenText]) -> dict[str, int]:
    """Return how many texts break each rule."""
    rules = ["banned words", *(f"too long for a {kind}" for kind in MOST_CHARACTERS), "another term", "title case"]
    broken = [rule for text in texts for rule in broken_rules(text)]
    return {rule: broken.count(rule) for rule in rules}


def write_ceilings(figures: Mapping[str, float], project: Path, table: str = TEXTS_TABLE) -> None:
    """Put the figures of today into a table of the project's file."""
    before, _, after = project.read_text("utf-8").partition(table + "\n")
    rest = after[after.index("\n[") :] if "\n[" in after else ""
    rows = "".join(f'"{rule}" = {count:g}\n' for rule, count in figures.items())
    project.write_text(f"{before}{table}\n{rows}{rest}", "utf-8")


def check(texts: list[ScreenText], ceilings: dict[str, int]) -> int:
    """Print the rules that more texts break than before; 1 when there is one."""
    risen = {rule: count for rule, count in text_figures(texts).items() if count > ceilings.get(rule, 0)}
    for rule, count in risen.items():
        print(f"{rule}: {count}, at most {ceilings.get(rule, 0)}. See `packaging/screen_texts.py --broken`.")
    if not risen:
        print(f"texts: {len(texts)}, no figure has risen")
    return int(bool(risen))


def print_texts(texts: list[ScreenText], *, only_broken: bool = False) -> None:
    """Print texts by file; those that break a rule with its name."""
    for text in texts:
        broken = broken_rules(text) if only_broken else []
        if broken or not only_broken:
            reason = f"  [{', '.join(broken)}]" if broken else ""
            print(f"{text.path}:{text.line}  {text.kind}: {text.text.replace(chr(10), '⏎')}{reason}")


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Print the texts, or look at them."""
    texts = TextFinder(root).find()
    project = root / "pyproject.toml"
    if "--write" in arguments:
        write_ceilings(text_figures(texts), project)
    elif "--check" in arguments:
        return check(texts, tomllib.loads(project.read_text("utf-8"))["tool"]["fireside"]["texts"])
    else:
        print_texts(texts, only_broken="--broken" in arguments)
    return 0


if __name__ == "__main__":
    gc.disable()  # the trees of all modules stay to the end; looking through them again and again took most of the time
    sys.exit(main(sys.argv[1:]))
