"""Writes the template of translations (gettext's POT) from the syntax tree: every text that `tr` is asked for.

Followed are literals, constants, tables, loops over them and results of functions; fields and parameters where they
are annotated `Translatable` (`app.core.catalogue`). `--check` compares with the ceilings in [tool.fireside.translation]
in pyproject.toml, which only fall: texts that are not found, texts filled in before they are translated, branches on
one and counts without plural forms. `--open` prints those places; `--write` puts today's counts there.
"""

from __future__ import annotations

import ast
import gc
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from screen_texts import ROOT, called_name, children_of, write_ceilings

TABLE = "[tool.fireside.translation]"
NOT_FOUND, FILLED, BRANCHES = "texts not found", "filled in before translation", "branches on one"
WITHOUT_FORMS = "counts without plural forms"
_COUNTED = re.compile(r"\{(?:count|n)(?::,)?\} (?:[a-z]+ )?[a-z]{2,}s\b(?!/)")
"""A count before an English plural; a unit such as "tokens/s" has one form, as its numbers have decimals."""
JSON_TEXTS: dict[str, tuple[str | int, ...]] = {"models.json": ("sentence",), "languages.json": (1,)}
"""Resources with texts for people, and the names or places of their fields."""
MARK, PAIR_MARK = "Translatable", "CountedTexts"
_DEEPEST = 12


@dataclass(frozen=True, order=True)
class Entry:
    """A text of the template: `plural` is its English text for other counts than one."""

    context: str
    text: str
    plural: str


@dataclass(frozen=True, order=True)
class Problem:
    """A place that the template can't be made from, and why."""

    path: str
    line: int
    kind: str
    code: str


@dataclass(frozen=True)
class Value:
    """An expression with the module and the functions around it, where its names are looked up."""

    path: str
    node: ast.AST
    scopes: tuple[ast.AST, ...] = ()


Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Declaration:
    """A class or function with what of it is annotated: parameters or fields in order, by their annotation."""

    path: str
    name: str
    parameters: list[str]
    marked: dict[str, ast.expr]
    is_method: bool = False


@dataclass
class Program:
    """All modules, with what is declared in them by name."""

    root: Path = ROOT
    trees: dict[str, ast.Module] = field(default_factory=dict)
    constants: dict[tuple[str, str], list[ast.expr]] = field(default_factory=dict)
    annotations: dict[tuple[str, str], ast.expr] = field(default_factory=dict)
    imported: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    functions: dict[tuple[str, str], Function] = field(default_factory=dict)
    declared: dict[str, list[Declaration]] = field(default_factory=dict)
    fields: set[str] = field(default_factory=set)
    results: set[str] = field(default_factory=set)
    """Functions that return marked texts; `fields` are attributes that hold some."""

    def __post_init__(self) -> None:
        self.fields |= {name for names in JSON_TEXTS.values() for name in names if isinstance(name, str)}
        for path in sorted(self.root.glob("app/**/*.py")):
            name = path.relative_to(self.root).as_posix()
            self.trees[name] = ast.parse(path.read_text("utf-8"))
            self._read_module(name, self.trees[name])

    def _read_module(self, path: str, tree: ast.Module) -> None:
        for node in _statements_of(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = node.module.replace(".", "/")
                module += ".py" if (self.root / f"{module}.py").exists() else "/__init__.py"
                self.imported |= {(path, alias.asname or alias.name): (module, alias.name) for alias in node.names}
            elif isinstance(node, ast.ClassDef):
                self._read_class(path, node)
        for statement in tree.body:
            if isinstance(statement, _FUNCTIONS):
                self.functions[path, statement.name] = statement
                self._declare(path, statement, statement.name)
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    self._read_constant(path, target, statement.value)
            elif isinstance(statement, ast.AnnAssign) and statement.value:
                self._read_constant(path, statement.target, statement.value)
                if is_marked(statement.annotation) and isinstance(statement.target, ast.Name):
                    self.annotations[path, statement.target.id] = statement.annotation

    def _read_constant(self, path: str, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.constants.setdefault((path, target.id), []).append(value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for name, part in zip(target.elts, value.elts, strict=False):
                self._read_constant(path, name, part)

    def _read_class(self, path: str, node: ast.ClassDef) -> None:
        fields = [part for part in node.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)]
        names = [part.target.id for part in fields if isinstance(part.target, ast.Name)]
        marked = {
            part.target.id: part.annotation
            for part in fields
            if isinstance(part.target, ast.Name) and is_marked(part.annotation)
        }
        if marked:
            self.declared.setdefault(node.name, []).append(Declaration(path, node.name, names, marked))
            self.fields |= set(marked)
        for part in node.body:
            if isinstance(part, _FUNCTIONS):
                self._declare(path, part, node.name if part.name == "__init__" else part.name, is_method=True)

    def _declare(self, path: str, node: Function, name: str, *, is_method: bool = False) -> None:
        arguments = [*node.args.posonlyargs, *node.args.args]
        is_static = any(isinstance(part, ast.Name) and part.id == "staticmethod" for part in node.decorator_list)
        arguments = arguments[1:] if is_method and not is_static else arguments
        marked = {
            argument.arg: argument.annotation
            for argument in [*arguments, *node.args.kwonlyargs]
            if argument.annotation is not None and is_marked(argument.annotation)
        }
        if marked:
            names = [argument.arg for argument in arguments]
            self.declared.setdefault(name, []).append(Declaration(path, name, names, marked, is_method))
            if name != node.name:  # what is handed to a class stays in attributes of that name, as a rule
                self.fields |= set(marked)
        if node.returns is not None and is_marked(node.returns):
            self.results.add(node.name)
            if any(isinstance(part, ast.Name) and part.id == "property" for part in node.decorator_list):
                self.fields.add(node.name)


@cache
def is_marked(annotation: ast.expr) -> bool:
    """Return whether an annotation says `Translatable` somewhere."""
    return any(isinstance(node, ast.Name) and node.id in (MARK, PAIR_MARK) for node in ast.walk(annotation))


class TextsTemplate:
    """Finds the texts of the program, and what keeps them from being found."""

    def __init__(self, root: Path = ROOT) -> None:
        self.program = Program(root)
        self.entries: dict[Entry, set[tuple[str, int]]] = {}
        self.problems: set[Problem] = set()
        for path, tree in self.program.trees.items():
            for node, scopes in _walk_with_scopes(tree):
                self._visit(path, node, scopes)
        for (path, name), annotation in self.program.annotations.items():
            for value in self.program.constants[path, name]:
                self._add_by_shape(Value(path, value), annotation)
        self._read_resources(root)
        self._compare_plurals()

    def _compare_plurals(self) -> None:
        """Report texts with two plurals, or asked for with and without a count: a catalogue holds one of each."""
        plurals: dict[tuple[str, str], set[str]] = {}
        for entry in self.entries:
            if entry.plural:
                plurals.setdefault((entry.context, entry.text), set()).add(entry.plural)
        for entry, places in self.entries.items():
            known = plurals.get((entry.context, entry.text), set())
            # Without a number in them, as with "page" and "pages", the form for one serves both.
            if len(known) > 1 or (not entry.plural and any("{" in plural for plural in known)):
                path, line = min(places)
                code = f"another plural: {entry.plural}" if entry.plural else f"counted elsewhere: {entry.text}"
                self.problems.add(Problem(path, line, NOT_FOUND, code))

    def keys(self) -> set[str]:
        """Return the key of every text in a catalogue."""
        return {f"{entry.context}\x04{entry.text}" if entry.context else entry.text for entry in self.entries} | {
            entry.plural for entry in self.entries if entry.plural
        }

    def figures(self) -> dict[str, int]:
        """Return how many problems there are of each kind."""
        kinds = [problem.kind for problem in self.problems]
        counted = sum(not entry.plural and _COUNTED.search(entry.text) is not None for entry in self.entries)
        return {kind: kinds.count(kind) for kind in (NOT_FOUND, FILLED, BRANCHES)} | {WITHOUT_FORMS: counted}

    def _visit(self, path: str, node: ast.AST, scopes: tuple[ast.AST, ...]) -> None:
        if isinstance(node, ast.Call):
            self._visit_call(path, node, scopes)
        elif isinstance(node, ast.Return) and node.value is not None and scopes:
            function = scopes[-1]
            if isinstance(function, _FUNCTIONS) and function.returns is not None and is_marked(function.returns):
                self._add_by_shape(Value(path, node.value, scopes), function.returns, may_miss=True)
        elif isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.AnnAssign) and part.value is not None and is_marked(part.annotation):
                    self._add_by_shape(Value(path, part.value), part.annotation)
        elif isinstance(node, ast.IfExp) and tests_one(node.test) and self._is_text_branch(path, node, scopes):
            self._report(BRANCHES, Value(path, node))

    def _is_text_branch(self, path: str, node: ast.IfExp, scopes: tuple[ast.AST, ...]) -> bool:
        branches = [part.args[0] if is_call(part, "tr") else part for part in (node.body, node.orelse)]  # type: ignore[attr-defined]
        texts = [
            text
            for part in branches
            for value in self._follow(Value(path, part, scopes), set(), 4)
            if value is not None and (text := self._text_of(value)) is not None
        ]
        return any(re.search(r"[^\W\d_]", text) for text in texts) and (
            "app/ui/" in path or "messages" in path or "app/cli" in path
        )

    def _visit_call(self, path: str, node: ast.Call, scopes: tuple[ast.AST, ...]) -> None:
        name = called_name(node)
        if name in ("tr", "tr_count", "InContext") and isinstance(node.func, ast.Name):
            values = [Value(path, part, scopes) for part in node.args[: 1 + (name != "tr")]]
            if name == "tr" and values:
                self._add(values[0])
            elif name == "tr_count" and isinstance(node.args[0], ast.Starred):
                self._add_pairs(Value(path, node.args[0].value, scopes))
            elif name == "tr_count" and len(values) > 1:
                self._add_counted(*values)
            return
        if name == "map" and len(node.args) == 2 and isinstance(node.args[0], ast.Name) and node.args[0].id == "tr":
            for found in self._elements(Value(path, node.args[1], scopes), set(), _DEEPEST):
                self._add_found(found, node.args[1], path)
        for declared in self.program.declared.get(name, ()):
            arguments = dict(zip(declared.parameters, node.args, strict=False))
            arguments |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
            for parameter, annotation in declared.marked.items():
                if parameter in arguments:
                    self._add_by_shape(
                        Value(path, arguments[parameter], scopes), annotation, may_miss=declared.is_method
                    )

    def _add_by_shape(self, value: Value, annotation: ast.expr, *, may_miss: bool = False) -> None:
        """Add the texts of a value where its annotation says that they are some."""
        if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) in ("ClassVar", "Final"):
            annotation = annotation.slice
        if isinstance(annotation, ast.Name) and annotation.id == MARK:
            self._add(value, may_miss=may_miss)
        elif isinstance(annotation, ast.Name) and annotation.id == PAIR_MARK:
            self._add_pairs(value, may_miss=may_miss)
        elif isinstance(annotation, ast.BinOp):
            for part in (annotation.left, annotation.right):
                if is_marked(part):
                    self._add_by_shape(value, part, may_miss=True)
        elif isinstance(annotation, ast.Subscript):
            outer = annotation.value.id if isinstance(annotation.value, ast.Name) else ""
            inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
            for found in self._follow(value, set(), _DEEPEST):
                self._add_parts(found, outer, inner, may_miss=may_miss)

    def _add_parts(self, found: Value | None, outer: str, inner: list[ast.expr], *, may_miss: bool) -> None:
        if found is None:
            return
        if isinstance(found.node, ast.Dict) and len(inner) == 2:
            for part in (0, 1):
                parts = found.node.values if part else [key for key in found.node.keys if key is not None]
                for node in parts if is_marked(inner[part]) else ():
                    self._add_by_shape(Value(found.path, node, found.scopes), inner[part], may_miss=may_miss)
        elif outer in ("tuple", "Tuple") and isinstance(found.node, ast.Tuple):
            is_open = len(inner) == 2 and isinstance(inner[1], ast.Constant)
            for number, node in enumerate(found.node.elts):
                shape = inner[0 if is_open else min(number, len(inner) - 1)]
                if is_marked(shape):
                    self._add_by_shape(Value(found.path, node, found.scopes), shape, may_miss=may_miss)
        elif isinstance(found.node, (ast.List, ast.Tuple, ast.Set)):
            for node in found.node.elts:
                part = node.value if isinstance(node, ast.Starred) else node
                self._add_by_shape(Value(found.path, part, found.scopes), inner[0], may_miss=may_miss)
        elif isinstance(found.node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
            element = Value(found.path, found.node.elt, (*found.scopes, found.node))
            self._add_by_shape(element, inner[0], may_miss=may_miss)

    def _add(self, value: Value, *, may_miss: bool = False) -> None:
        for found in self._follow(value, set(), _DEEPEST):
            if found is not None or not may_miss:
                self._add_found(found, value.node, value.path)

    def _add_found(self, found: Value | None, asked: ast.AST, path: str) -> None:
        if found is None:
            self._report(NOT_FOUND, Value(path, asked))
            return
        node = found.node
        if is_call(node, "InContext"):
            context, text = (self._text_of(Value(found.path, part, found.scopes)) for part in node.args[:2])  # type: ignore[attr-defined]
            if context and text:
                self._put(Entry(context, text, ""), found)
            return
        text = self._text_of(found)
        if text is not None:
            if re.search(r"[^\W\d_]|[“”]", re.sub(r"\{[^}]*\}", "", text)):  # languages quote differently
                self._put(Entry("", text, ""), found)
        elif not isinstance(node, (ast.Constant, ast.Tuple)):
            self._report(FILLED, found)

    def _add_pairs(self, pairs: Value, *, may_miss: bool = False) -> None:
        """Add the texts of one and of others that a call unpacks."""
        for found in self._follow(pairs, set(), _DEEPEST):
            if found is None and not may_miss:
                self._report(NOT_FOUND, pairs)
            elif found is not None and isinstance(found.node, ast.Tuple):
                self._add_counted(*(Value(found.path, part, found.scopes) for part in found.node.elts))

    def _add_counted(self, one: Value, other: Value) -> None:
        ones, others = (
            [self._text_of(found) if found is not None else None for found in self._follow(value, set(), _DEEPEST)]
            for value in (one, other)
        )
        if not ones or len(ones) != len(others) or None in (*ones, *others):
            self._report(NOT_FOUND, one)
            return
        for text, plural in zip(ones, others, strict=True):
            self._put(Entry("", str(text), str(plural)), one)

    def _put(self, entry: Entry, value: Value) -> None:
        self.entries.setdefault(entry, set()).add((value.path, getattr(value.node, "lineno", 0)))

    def _report(self, kind: str, value: Value) -> None:
        code = " ".join(ast.unparse(value.node).split())
        self.problems.add(Problem(value.path, getattr(value.node, "lineno", 0), kind, code[:110]))

    def _text_of(self, value: Value) -> str | None:
        """Return the text that an expression always is; None if a part of it is known only at run time."""
        node = value.node
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, (ast.JoinedStr, ast.BinOp)):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node.left, node.right]
            if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Add):
                return None
            texts = [self._part_text(Value(value.path, part, value.scopes)) for part in parts]
            return None if None in texts else "".join(map(str, texts))
        return None

    def _part_text(self, value: Value) -> str | None:
        node = value.node
        if isinstance(node, ast.FormattedValue):
            node = node.value
        found = list(self._follow(Value(value.path, node, value.scopes), set(), _DEEPEST))
        return self._text_of(found[0]) if len(found) == 1 and found[0] is not None else None

    def _follow(self, value: Value, seen: set[tuple[int, int]], left: int) -> Iterator[Value | None]:
        """Yield the expressions that an expression may be; None where that isn't known."""
        node, path, scopes = value.node, value.path, value.scopes
        if left == 0 or (id(node), len(scopes)) in seen:
            return
        seen = seen | {(id(node), len(scopes))}

        def onward(*nodes: ast.AST) -> Iterator[Value | None]:
            for part in nodes:
                yield from self._follow(Value(path, part, scopes), seen, left - 1)

        if isinstance(node, ast.IfExp):
            yield from onward(node.body, node.orelse)
        elif isinstance(node, ast.BoolOp):
            yield from onward(*node.values)
        elif isinstance(node, ast.NamedExpr):
            yield from onward(node.value)
        elif isinstance(node, ast.Name):
            yield from self._follow_name(value, seen, left)
        elif isinstance(node, ast.Attribute):
            # What is annotated is found where it is handed over.
            if node.attr.lstrip("_") not in self.program.fields:
                yield from self._follow_attribute(value, seen, left)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            yield from onward(node.value)
        elif isinstance(node, ast.Subscript):
            key = ast.literal_eval(node.slice) if isinstance(node.slice, ast.Constant) else None
            yield from self._take(Value(path, node.value, scopes), [key], seen, left, is_mapping=True)
        elif isinstance(node, ast.Call) and not is_call(node, "InContext"):
            yield from self._follow_call(value, node, seen, left)
        else:
            yield value

    def _follow_attribute(self, value: Value, seen: set[tuple[int, int]], left: int) -> Iterator[Value | None]:
        node = value.node
        assert isinstance(node, ast.Attribute)
        if node.attr.isupper():
            module = next(
                (
                    target
                    for (at, name), target in self.program.imported.items()
                    if at == value.path and isinstance(node.value, ast.Name) and name == node.value.id
                ),
                None,
            )
            folder = module[0].removesuffix("/__init__.py").removesuffix(".py") if module else ""
            path = f"{folder}/{module[1]}.py" if module else ""
            found = self.program.constants.get((path, node.attr), [])
            for part in found:
                yield from self._follow(Value(path, part), seen, left - 1)
            if found:
                return
        yield None

    def _follow_name(self, value: Value, seen: set[tuple[int, int]], left: int) -> Iterator[Value | None]:
        name = value.node.id  # type: ignore[attr-defined]
        for depth in range(len(value.scopes), 0, -1):
            scope, outer = value.scopes[depth - 1], value.scopes[:depth]
            bound = _bindings(scope).get(name, [])
            argument = _arguments(scope).get(name)
            if argument is not None and argument.annotation is not None and self._is_known(argument.annotation):
                bound = [*bound, ([], None)]
            elif argument is not None and not bound:
                default = _defaults(scope).get(name)
                if isinstance(scope, ast.Lambda) and default is not None:  # what a lambda is bound to
                    yield from self._follow(Value(value.path, default, value.scopes[: depth - 1]), seen, left - 1)
                else:
                    yield None
                return
            for way, part in bound:
                if part is not None:
                    yield from self._take(Value(value.path, part, outer), way, seen, left - 1)
            if bound:
                return
        path = value.path
        if (path, name) not in self.program.constants and (path, name) in self.program.imported:
            path, name = self.program.imported[path, name]
        constants = self.program.constants.get((path, name), [])
        for part in constants:
            yield from self._follow(Value(path, part), seen, left - 1)
        if not constants:
            yield None

    def _is_known(self, annotation: ast.expr) -> bool:
        """Return whether what has this annotation is found elsewhere: where it is made or handed over."""
        return is_marked(annotation) or any(
            isinstance(node, ast.Name) and node.id in self.program.declared for node in ast.walk(annotation)
        )

    def _take(
        self, value: Value, way: list[object], seen: set[tuple[int, int]], left: int, *, is_mapping: bool = False
    ) -> Iterator[Value | None]:
        """Follow a value to the part of it that a target of an assignment or a loop takes."""
        if not way:
            yield from self._follow(value, seen, left)
            return
        step, rest = way[0], way[1:]
        if step == "*" and rest and is_call(value.node, "zip") and isinstance(rest[0], int):
            part = value.node.args[rest[0]]  # type: ignore[attr-defined]
            yield from self._take(Value(value.path, part, value.scopes), ["*", *rest[1:]], seen, left)
            return
        for found in self._elements(value, seen, left, key=None if step == "*" else step, is_mapping=is_mapping):
            if found is None:
                yield None
            else:
                yield from self._take(found, rest, seen, left - 1)

    def _elements(
        self, value: Value, seen: set[tuple[int, int]], left: int, *, key: object = None, is_mapping: bool = False
    ) -> Iterator[Value | None]:
        """Yield the elements of a value, or the one at `key`; of a mapping the keys, or its values."""
        for found in self._containers(value, seen, left):
            if found is None:
                yield None
            elif isinstance(found.node, ast.Dict):
                yield from self._pairs(found, seen, left, key=key, is_mapping=is_mapping)
            elif isinstance(found.node, (ast.Tuple, ast.List, ast.Set)):
                nodes = found.node.elts
                if isinstance(key, int) and not isinstance(key, bool) and -len(nodes) <= key < len(nodes):
                    nodes = [nodes[key]]
                for part in nodes:
                    if isinstance(part, ast.Starred):
                        yield from self._elements(Value(found.path, part.value, found.scopes), seen, left - 1)
                    else:
                        yield Value(found.path, part, found.scopes)
            elif isinstance(found.node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
                yield Value(found.path, found.node.elt, (*found.scopes, found.node))
            elif isinstance(found.node, ast.DictComp):
                node = found.node.value if is_mapping else found.node.key
                yield Value(found.path, node, (*found.scopes, found.node))
            else:
                yield None

    def _pairs(
        self, found: Value, seen: set[tuple[int, int]], left: int, *, key: object, is_mapping: bool
    ) -> Iterator[Value | None]:
        assert isinstance(found.node, ast.Dict)
        pairs = list(zip(found.node.keys, found.node.values, strict=True))
        chosen = [pair for pair in pairs if isinstance(pair[0], ast.Constant) and pair[0].value == key]
        for name, part in chosen if is_mapping and chosen else pairs:
            value = Value(found.path, part, found.scopes)
            if name is None:
                yield from self._elements(value, seen, left - 1, key=key, is_mapping=is_mapping)
            else:
                yield value if is_mapping else Value(found.path, name, found.scopes)

    def _containers(self, value: Value, seen: set[tuple[int, int]], left: int) -> Iterator[Value | None]:
        """Yield what holds the elements of a value; calls of built-in functions as what they make of it."""
        node = value.node
        name = called_name(node) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and name in ("items", "values") and isinstance(node.func, ast.Attribute):
            for found in self._follow(Value(value.path, node.func.value, value.scopes), seen, left - 1):
                if found is None or not isinstance(found.node, ast.Dict):
                    yield None
                    continue
                pairs = zip(found.node.keys, found.node.values, strict=True)
                tuples: list[ast.expr] = [ast.Tuple([key, part]) for key, part in pairs if key is not None]
                yield Value(found.path, ast.Tuple(found.node.values if name == "values" else tuples), found.scopes)
        elif isinstance(node, ast.Call) and name in _SAME_ELEMENTS and node.args:
            yield from self._containers(Value(value.path, node.args[0], value.scopes), seen, left - 1)
        elif isinstance(node, ast.Call) and name in ("dict", "enumerate") and node.args:
            for found in self._elements(Value(value.path, node.args[0], value.scopes), seen, left - 1):
                if found is None:
                    yield None
                elif name == "enumerate":
                    numbered: ast.expr = ast.Tuple([ast.Constant(0), found.node])  # type: ignore[list-item]
                    yield Value(found.path, ast.Tuple([numbered]), found.scopes)
                elif isinstance(found.node, ast.Tuple) and len(found.node.elts) == 2:
                    yield Value(found.path, ast.Dict([found.node.elts[0]], [found.node.elts[1]]), found.scopes)
        else:
            for found in self._follow(value, seen, left - 1):
                yield from self._joined(found, seen, left - 1)

    def _joined(self, found: Value | None, seen: set[tuple[int, int]], left: int) -> Iterator[Value | None]:
        """Yield the tables that are joined by `|`, or what isn't joined as it is."""
        if found is None or not (isinstance(found.node, ast.BinOp) and isinstance(found.node.op, ast.BitOr)):
            yield found
            return
        for side in (found.node.left, found.node.right):
            yield from self._containers(Value(found.path, side, found.scopes), seen, left)

    def _follow_call(
        self, value: Value, node: ast.Call, seen: set[tuple[int, int]], left: int
    ) -> Iterator[Value | None]:
        name = called_name(node)
        if name in self.program.results or name == "loads":  # what is in resources is listed
            return
        if name in ("get", "pop") and isinstance(node.func, ast.Attribute) and node.args:
            mapping = Value(value.path, node.func.value, value.scopes)
            yield from self._take(mapping, ["*"], seen, left - 1, is_mapping=True)
            for part in node.args[1:]:
                yield from self._follow(Value(value.path, part, value.scopes), seen, left - 1)
            return
        if name == "next" and node.args:
            yield from self._take(Value(value.path, node.args[0], value.scopes), ["*"], seen, left - 1)
            return
        if name == "format" and isinstance(node.func, ast.Attribute):
            yield value
            return
        path = value.path
        if isinstance(node.func, ast.Name) and (path, name) not in self.program.functions:
            path, name = self.program.imported.get((path, name), (path, name))
        function = self.program.functions.get((path, name)) if isinstance(node.func, ast.Name) else None
        if function is None:
            yield None
            return
        for part, scopes in _walk_with_scopes(function):
            if isinstance(part, ast.Return) and part.value is not None and scopes == (function,):
                yield from self._follow(Value(path, part.value, scopes), seen, left - 1)

    def _read_resources(self, root: Path) -> None:
        def texts(found: object, names: tuple[str | int, ...]) -> Iterator[str]:
            if not isinstance(found, (dict, list)):
                return
            named = found if isinstance(found, dict) else dict(enumerate(found))
            yield from (text for name in names if isinstance(text := named.get(name), str))
            for part in named.values():
                yield from texts(part, names)

        for name, fields in JSON_TEXTS.items():
            path = root / "resources" / name
            for text in texts(json.loads(path.read_text("utf-8")), fields) if path.exists() else ():
                self.entries.setdefault(Entry("", text, ""), set()).add((f"resources/{name}", 0))


_SAME_ELEMENTS = ("list", "tuple", "sorted", "reversed", "set")
_SCOPES = (*_FUNCTIONS, ast.Lambda, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


def _walk_with_scopes(tree: ast.AST) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    """Yield each node with the functions and comprehensions that it is in, the outermost first."""
    stack: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(tree, ())]
    while stack:
        node, scopes = stack.pop()
        yield node, scopes
        if children := children_of(node):
            inside = (*scopes, node) if isinstance(node, _SCOPES) else scopes
            stack += [(child, inside) for child in children]


def _statements_of(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all statements, level by level, without looking into their expressions."""
    level: list[ast.AST] = [tree]
    while level:
        yield from level
        blocks = [getattr(node, name, ()) for node in level for name in _BLOCKS]
        level = [statement for block in blocks for statement in block]


_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")


@cache
def _arguments(scope: ast.AST) -> dict[str, ast.arg]:
    if not isinstance(scope, (*_FUNCTIONS, ast.Lambda)):
        return {}
    return {argument.arg: argument for argument in [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]}


@cache
def _defaults(scope: ast.AST) -> dict[str, ast.expr]:
    if not isinstance(scope, (*_FUNCTIONS, ast.Lambda)):
        return {}
    arguments = [*scope.args.posonlyargs, *scope.args.args]
    found = zip(reversed(arguments), reversed(scope.args.defaults), strict=False)
    named = zip(scope.args.kwonlyargs, scope.args.kw_defaults, strict=True)
    return {argument.arg: default for argument, default in [*found, *named] if default is not None}


@cache
def _bindings(scope: ast.AST) -> dict[str, list[tuple[list[object], ast.expr | None]]]:
    """Return what each name of a function or comprehension is bound to, with the way to the part that it takes."""
    found: dict[str, list[tuple[list[object], ast.expr | None]]] = {}

    def bind(target: ast.expr, value: ast.expr, way: list[object]) -> None:
        if isinstance(target, ast.Name):
            found.setdefault(target.id, []).append((way, value))
        elif isinstance(target, (ast.Tuple, ast.List)):
            for number, part in enumerate(target.elts):
                bind(part, value, [*way, number])

    def visit(node: ast.AST) -> None:
        if node is not scope and isinstance(node, _SCOPES):
            return
        if isinstance(node, ast.Assign):
            for target in node.targets:
                bind(target, node.value, [])
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if is_marked(node.annotation):  # what is put there is found where it is made
                found.setdefault(node.target.id, []).append(([], None))
            elif node.value is not None:
                bind(node.target, node.value, [])
        elif isinstance(node, ast.NamedExpr):
            bind(node.target, node.value, [])
        elif isinstance(node, (ast.For, ast.comprehension)):
            bind(node.target, node.iter, ["*"])
        for child in children_of(node):
            visit(child)

    visit(scope)
    return found


def is_call(node: ast.AST, name: str) -> bool:
    """Return whether an expression calls a function or class of that name with something."""
    return isinstance(node, ast.Call) and called_name(node) == name and bool(node.args)


def tests_one(test: ast.expr) -> bool:
    """Return whether a condition compares a count with one."""
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.ops[-1], (ast.Eq, ast.NotEq))
        and isinstance(test.comparators[-1], ast.Constant)
        and test.comparators[-1].value == 1
    )


def template_lines(template: TextsTemplate) -> Iterator[str]:
    """Yield the lines of a PO template, texts in order of their first place."""
    yield 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
    counted = {(entry.context, entry.text) for entry in template.entries if entry.plural}
    for entry, places in sorted(template.entries.items(), key=lambda found: (min(found[1]), found[0])):
        if not entry.plural and (entry.context, entry.text) in counted:
            continue  # a PO file has each text once
        yield from (f"#: {path}:{line}" if line else f"#: {path}" for path, line in sorted(places)[:3])
        if "{" in entry.text:
            yield "#, python-brace-format"
        if entry.context:
            yield f"msgctxt {quote(entry.context)}"
        yield f"msgid {quote(entry.text)}"
        if entry.plural:
            yield f'msgid_plural {quote(entry.plural)}\nmsgstr[0] ""\nmsgstr[1] ""\n'
        else:
            yield 'msgstr ""\n'


def quote(text: str) -> str:
    """Return a text as a string of a PO file."""
    return json.dumps(text, ensure_ascii=False)


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Print the template, or look at what keeps it from being whole."""
    template, project = TextsTemplate(root), root / "pyproject.toml"
    figures = template.figures()
    if "--open" in arguments:
        for problem in sorted(template.problems):
            print(f"{problem.path}:{problem.line}  {problem.kind}: {problem.code}")
        for entry, places in sorted(template.entries.items(), key=lambda found: min(found[1])):
            if not entry.plural and _COUNTED.search(entry.text):
                print(f"{min(places)[0]}:{min(places)[1]}  {WITHOUT_FORMS}: {entry.text}")
    elif "--write" in arguments:
        write_ceilings(figures, project, TABLE)
    elif "--check" in arguments:
        ceilings = tomllib.loads(project.read_text("utf-8"))["tool"]["fireside"]["translation"]
        risen = {kind: count for kind, count in figures.items() if count > ceilings.get(kind, 0)}
        for kind, count in risen.items():
            print(f"{kind}: {count}, at most {ceilings.get(kind, 0)}. See `packaging/texts_template.py --open`.")
        print("" if risen else f"translation: {len(template.entries)} texts, no figure has risen", end="\n")
        return int(bool(risen))
    else:
        print("\n".join(template_lines(template)))
    return 0


if __name__ == "__main__":
    gc.disable()
    sys.exit(main(sys.argv[1:]))
