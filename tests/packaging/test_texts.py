"""Every text of the screen is found, and each rule of style notices what breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

WINDOW = '''
"""A module."""
SAVE_AS = "Save as…"
FORMS = {"short": "A short one"}

def build(layout, name):
    button = text_button(theme, tr(SAVE_AS))
    button.setToolTip(tr("Saves {name}" if name else "Saves the file"))
    layout.addWidget(Knob(theme, tr("Seed"), tr("The same seed gives the same answer.")))
    raise NotPossible(PersonMessage(f"{name} can’t be read.", action="open_model"))
'''


def test_texts_are_found_with_the_kind_of_their_use(tmp_path: Path) -> None:
    from screen_texts import TextFinder

    (tmp_path / "app/ui").mkdir(parents=True)
    (tmp_path / "app/ui/view.py").write_text(WINDOW, "utf-8")
    found = {text.text: (text.kind, text.line) for text in TextFinder(tmp_path).find()}
    assert found == {
        "Save as…": ("button", 3),
        "A short one": ("label", 4),
        "Saves {name}": ("tooltip", 8),
        "Saves the file": ("tooltip", 8),
        "Seed": ("label", 9),
        "The same seed gives the same answer.": ("help", 9),
        "{name} can’t be read.": ("error", 10),
    }


@pytest.mark.parametrize(
    ("kind", "text", "rule"),
    [
        ("label", "Switched off: models are told none of them.", "banned words"),
        ("button", "Save this chat as a new file", "too long for a button"),
        ("tooltip", "Saves " + "x" * 80, "too long for a tooltip"),
        ("error", "The file cannot be read.", "another term"),
        ("button", "Delete Chat", "title case"),
    ],
)
def test_a_rule_notices_what_breaks_it(kind: str, text: str, rule: str) -> None:
    from screen_texts import ScreenText, broken_rules

    assert broken_rules(ScreenText("app/ui/view.py", 1, kind, text)) == [rule]


def test_a_constant_is_found_where_it_is_imported_from_and_not_by_its_name_alone(tmp_path: Path) -> None:
    from screen_texts import TextFinder

    (tmp_path / "app/ui").mkdir(parents=True)
    (tmp_path / "app/words.py").write_text('SHORTER = "A shorter text"\n', "utf-8")
    (tmp_path / "app/prompts.py").write_text('SHORTER = "Whoever reads this writes a shorter text."\n', "utf-8")
    window = "from app.words import SHORTER as LABEL\nmenu.addAction(tr(LABEL))\n"
    (tmp_path / "app/ui/view.py").write_text(window, "utf-8")
    assert [(text.path, text.kind, text.text) for text in TextFinder(tmp_path).find()] == [
        ("app/words.py", "menu", "A shorter text")
    ]


@pytest.mark.parametrize(
    "text",
    ["Memories are off.", "Open in Fireside", "Saved. The file wasn’t changed.", "{Name}", "Use --image or `talk`."],
)
def test_a_plain_text_breaks_none(text: str) -> None:
    from screen_texts import ScreenText, broken_rules

    assert broken_rules(ScreenText("app/ui/view.py", 1, "label", text)) == []


def test_a_figure_may_fall_and_not_rise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from screen_texts import ScreenText, check, text_figures, write_ceilings

    texts = [ScreenText("app/ui/view.py", 1, "button", "Delete Chat")]
    project = tmp_path / "pyproject.toml"
    project.write_text('[tool.fireside.texts]\n"title case" = 7\n\n[tool.other]\nx = 1\n', "utf-8")
    write_ceilings(text_figures(texts), project)
    assert '"title case" = 1\n' in project.read_text("utf-8")
    assert "[tool.other]\nx = 1\n" in project.read_text("utf-8")
    assert check(texts, {"title case": 1}) == 0
    assert check(texts, {}) == 1
    assert "title case: 1, at most 0" in capsys.readouterr().out
