"""The template of translations: which texts are found in the syntax tree, and what keeps one from being found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.core.catalogue import CONTEXT_END, read_catalogue

HEAD = "from app.core.catalogue import InContext, Translatable, CountedTexts, tr, tr_count\n"


ROOT = Path(__file__).resolve().parents[2]
NOT_FOUND, FILLED, BRANCHES = "texts not found", "filled in before translation", "branches on one"


def template_of(tmp_path: Path, code: str) -> Any:
    from texts_template import TextsTemplate

    path = tmp_path / "app/ui/a.py"
    path.parent.mkdir(parents=True)
    path.write_text(HEAD + code, "utf-8")
    return TextsTemplate(tmp_path)


@pytest.mark.parametrize(
    "code",
    [
        'tr("One text")',
        'TEXT = "One text"\ndef show():\n    return tr(TEXT)',
        'TABLE = {"a": "One text"}\ndef show(key):\n    return tr(TABLE[key])',
        'TABLE = {"a": "One text"}\ndef show(key):\n    return tr(TABLE.get(key, ""))',
        'FIRST = {"a": "One text"}\nTABLE = FIRST | {}\ndef show(key):\n    return tr(TABLE[key])',
        'ROWS = (("a", "One text"),)\ndef show():\n    return [tr(label) for _, label in ROWS]',
        'def show(is_it):\n    words = "One text" if is_it else ""\n    return f"{tr(words)}!"',
        'def words():\n    return "One text"\ndef show():\n    return tr(words())',
        'class Spec:\n    label: Translatable\nSPEC = Spec("One text")\ndef show(spec):\n    return tr(spec.label)',
        'def show(words: Translatable):\n    return tr(words)\nshow("One text")',
        'LABELS: dict[str, Translatable] = {"a": "One text"}',
        'def show():\n    return [lambda _, words="One text": tr(words)]',
        'tr("One " + "text")',
    ],
)
def test_a_text_is_found_wherever_it_comes_from(tmp_path: Path, code: str) -> None:
    template = template_of(tmp_path, code)
    assert [(entry.context, entry.text, entry.plural) for entry in template.entries] == [("", "One text", "")]
    assert not template.problems


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("def show(words):\n    return tr(words)", NOT_FOUND),
        ("def show(error):\n    return tr(error.words)", NOT_FOUND),
        ('def show():\n    words = tr("One text")\n    return tr(words)', NOT_FOUND),
        ('def show(name):\n    return tr(f"{name} is gone")', FILLED),
        ('def show(name):\n    return tr("{} is gone".format(name))', FILLED),
        ('def show(name):\n    return tr(name + " is gone")', FILLED),
        ('def show(count):\n    return tr("1 file") if count == 1 else tr("{count} files", count=count)', BRANCHES),
        ("def show(count):\n    return f\"{count} file{'' if count == 1 else 's'}\"", BRANCHES),
    ],
)
def test_what_no_catalogue_can_hold_is_told(tmp_path: Path, code: str, kind: str) -> None:
    figures = template_of(tmp_path, code).figures()
    assert figures[kind] == 1


def test_texts_of_a_count_are_one_entry_with_both_forms(tmp_path: Path) -> None:
    template = template_of(
        tmp_path,
        'FILES: CountedTexts = ("1 file", "{count} files")\n'
        'UNITS = {"page": ("page", "pages")}\n'
        'def show(n, unit):\n    return tr_count("1 chat", "{count} chats", n), tr_count(*UNITS[unit], n)',
    )
    plurals = {(entry.text, entry.plural) for entry in template.entries}
    assert plurals == {("1 file", "{count} files"), ("page", "pages"), ("1 chat", "{count} chats")}
    assert not template.problems


def test_a_text_asked_for_with_and_without_a_count_is_told(tmp_path: Path) -> None:
    template = template_of(
        tmp_path, 'tr("a minute")\ndef show(n):\n    return tr_count("a minute", "{count} minutes", n)'
    )
    (problem,) = template.problems
    assert (problem.kind, problem.line) == (NOT_FOUND, 2)


def test_names_of_units_with_and_without_a_count_are_one_entry_of_the_file(tmp_path: Path) -> None:
    from texts_template import template_lines

    template = template_of(tmp_path, 'tr("page")\ndef show(n):\n    return tr_count("page", "pages", n)')
    assert not template.problems
    assert "".join(template_lines(template)).count('msgid "page"') == 1


def test_constants_of_a_module_of_a_package_are_found(tmp_path: Path) -> None:
    other = tmp_path / "app/cli/terminal.py"
    other.parent.mkdir(parents=True)
    (other.parent / "__init__.py").touch()
    other.write_text('SAVED = "Saved {path}."', "utf-8")
    template = template_of(tmp_path, "from app.cli import terminal\ntr(terminal.SAVED, path=1)")
    assert [entry.text for entry in template.entries] == ["Saved {path}."]
    assert not template.problems


def test_the_template_is_a_file_that_the_program_can_read(tmp_path: Path) -> None:
    code = 'tr(InContext("state", "Open")), tr("Open"), tr("Say “{words}”\\n"), tr_count("1 file", "{count} files", 2)'
    from texts_template import template_lines

    template = template_of(tmp_path, code)
    written = "\n".join(template_lines(template)) + "\n"
    assert read_catalogue(written).entries == {}, "nothing is translated"
    # What a translator does.
    forms = written.replace('msgstr ""\n\n', 'msgstr "x"\n\n').replace('msgstr[0] ""', 'msgstr[0] "y"')
    forms = forms.replace('msgstr[1] ""', 'msgstr[1] "z"')
    entries = read_catalogue(forms, "de").entries
    assert entries[f"state{CONTEXT_END}Open"] == entries["Open"] == entries["Say “{words}”\n"] == ("x",)
    assert entries["1 file"] == ("y", "z")


def test_a_figure_that_has_risen_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from texts_template import main

    template_of(tmp_path, 'def show(name):\n    return tr(f"{name} is gone")')
    (tmp_path / "pyproject.toml").write_text("[tool.fireside.translation]\n", "utf-8")
    assert main(["--check"], tmp_path) == 1
    assert f"{FILLED}: 1, at most 0" in capsys.readouterr().out
    main(["--write"], tmp_path)
    assert main(["--check"], tmp_path) == 0
