"""The figures of `make house` are counted, not remembered."""

from __future__ import annotations

import shutil
from pathlib import Path

import grimp
import pytest


def graph_of(imports: dict[str, list[str]]) -> grimp.ImportGraph:
    graph = grimp.ImportGraph()
    for importer, imported in imports.items():
        for each in imported:
            graph.add_import(importer=importer, imported=each)
    return graph


def test_lines_imports_functions_and_methods_are_told_apart() -> None:
    import house

    source = "\n".join(
        [
            '"""One."""',
            "import re",
            "from a import (",
            "    b,",
            ")",
            "class C:",
            "    def f(self):",
            "        import d",
            "    def g(self):",
            "        return 1",
        ]
    )
    found = house.counted(source)
    assert (found.lines, found.imports, found.functions, found.methods) == (10, 5, [2, 2], [2])


def test_a_structure_that_grows_fails_and_one_that_fell_is_written(tmp_path: Path) -> None:
    import house

    view = tmp_path / "app" / "ui" / "view.py"
    view.parent.mkdir(parents=True)
    view.write_text(
        "class View(QWidget):\n    opened, changed = 1, Signal()\n    closed = Signal(int)\n"
        "    wide: Any = QtCore.Signal()\n"
        "    def __init__(self):\n        self.closed.connect(lambda: self.wide.connect(print))\n",
        "utf-8",
    )
    (tmp_path / "app" / "store.py").write_text("connect(1)\nsignal = Signal()\n", "utf-8")
    shutil.copy(Path(__file__).resolve().parents[2] / "pyproject.toml", tmp_path)
    assert house.check_structure(tmp_path) == 0
    assert house.check_structure(tmp_path, write=True) == 0
    ceilings = (tmp_path / "pyproject.toml").read_text("utf-8")
    assert '"connections in ui" = 2\n"signals in ui" = 2\n' in ceilings
    assert '"lines of the longest file" = 6\n' in ceilings
    view.write_text(view.read_text("utf-8") + "".join(f"    def f{n}(self): ...\n" for n in range(25)), "utf-8")
    assert house.check_structure(tmp_path) == 1


def test_a_circle_is_found_once_with_all_its_members() -> None:
    import house

    graph = graph_of({"app.a": ["app.b"], "app.b": ["app.c"], "app.c": ["app.a", "app.d"], "app.e": ["app.a"]})
    assert house.circles(graph) == [["app.a", "app.b", "app.c"]]


def test_an_arrow_up_is_an_import_against_the_layers() -> None:
    import house

    graph = graph_of({"app.core.x": ["app.ui.y"], "app.ui.y": ["app.core.z"], "app.hub.a": ["app.store.b"]})
    assert house.arrows_up(graph, ["ui", "hub | store", "core"]) == ["core -> ui"]


def test_every_figure_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import house

    root = Path(__file__).resolve().parents[2]
    for part in ("app/core", "tests/core"):
        shutil.copytree(root / part, tmp_path / part)
    shutil.copy(root / "pyproject.toml", tmp_path)
    assert house.main(tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(any(line.startswith(name) for line in lines) for name in (*house.OLD, *house.AIMS))
    files = len(list((root / "app" / "core").rglob("*.py")))
    assert any(line.startswith("files ") and line.split()[1] == str(files) for line in lines)


def test_no_modules_of_the_program_import_each_other_in_a_circle() -> None:
    import house

    assert house.circles(grimp.build_graph("app", cache_dir=None)) == []


NAMES = '''
class Found:
    """Short."""

    @property
    def size(self): ...
    def take(self): ...
    def load_model(self): ...
    def event(self, event): ...


# Tables of tokens.


# A comment that belongs to what follows it.
class TokenTable:
    """Say in more than eight words what this one is for."""

    for one in range(3):
        squares = [each * each for each in range(one)]
'''


def test_names_that_cannot_be_guessed_are_counted(tmp_path: Path) -> None:
    import names

    (tmp_path / "app" / "a").mkdir(parents=True)
    (tmp_path / "app" / "b.py").write_text(NAMES, "utf-8")
    (tmp_path / "app" / "a" / "b.py").write_text("class Found: ...\n", "utf-8")
    assert names.name_figures(tmp_path) == {
        "class names used twice": 1,
        "module names used twice": 1,
        "one-word classes, %": 66.7,
        "one-word functions, %": 50.0,
        "riddles": 1,
        "loops over one or each": 2,
        "docstrings of 8 words or fewer": 1,
        "texts of the screen in tests": 0,
        "section banners": 1,
    }


def test_a_figure_that_rises_fails_and_one_that_fell_is_written(tmp_path: Path) -> None:
    import names

    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "b.py").write_text(NAMES, "utf-8")
    project = tmp_path / "pyproject.toml"
    project.write_text('[a]\nb = 1\n\n[tool.fireside.names]\n"riddles" = 7\n\n[c]\nd = 2\n', "utf-8")
    assert names.main(tmp_path) == 1
    assert names.main(tmp_path, write=True) == 0
    assert names.main(tmp_path) == 0
    assert '"riddles" = 1\n' in project.read_text("utf-8")
    assert project.read_text("utf-8").endswith("\n\n[c]\nd = 2\n")
    (tmp_path / "app" / "c.py").write_text("def take(): ...\n", "utf-8")
    assert names.main(tmp_path) == 1


@pytest.mark.parametrize(
    ("subject", "is_fine"),
    [
        ("engine: give the local user priority over API clients", True),
        ("ui/chat: fold the side column first", True),
        ("Fold the side column first", False),
        ("engine: priority", False),
        ("engine: " + "give " * 14, False),
    ],
)
def test_a_commit_says_where_and_what_in_72_characters(subject: str, is_fine: bool) -> None:
    import check_subjects

    assert (check_subjects.complaints([subject]) == []) == is_fine


def test_texts_of_the_screen_in_tests_are_found_whole_filled_in_and_in_part(tmp_path: Path) -> None:
    import held_texts

    (tmp_path / "app").mkdir()
    (tmp_path / "tests" / "ui").mkdir(parents=True)
    (tmp_path / "app" / "a.py").write_text(
        'UNDO = "Undo"\nKINDS = {"a": "Every page"}\n'
        'tr(UNDO if x else "Go on")\ntr(KINDS[y])\ntr("{count} files", count=2)\ntr("There is no room on {name}.")\n',
        "utf-8",
    )
    (tmp_path / "tests" / "ui" / "test_a.py").write_text(
        '"""Undo"""\n'
        'assert shown == ["Undo", UNDO, "undo", "Go on", "Every page", "2 files", "many files", "Undone"]\n'
        'assert "is no room" in shown and "is a room" in shown and said.startswith("There is")\n'
        'assert said == "There is no room on b." != "There is no room on b. It is full."\n',
        "utf-8",
    )
    found = [(held.line, held.literal, held.text) for held in held_texts.held_texts(tmp_path)]
    assert sorted(found) == [
        (2, "2 files", "{count} files"),
        (2, "Every page", "Every page"),
        (2, "Go on", "Go on"),
        (2, "Undo", "Undo"),
        (3, "There is", "There is no room on {name}."),
        (3, "is no room", "There is no room on {name}."),
        (4, "There is no room on b.", "There is no room on {name}."),
    ]
