"""The line budget counts code only and notices what is over, unlisted or without a budget."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def packaging_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "packaging"))


def write_project(root: Path, *, allowed: int, listed: str = '"app", "app.core"') -> None:
    (root / "app" / "core").mkdir(parents=True)
    (root / "app" / "__init__.py").write_text('"""The program."""\n\nVERSION = 1\n')
    (root / "app" / "core" / "__init__.py").write_text("")
    (root / "app" / "core" / "words.py").write_text("# why\nA = 1\nB = 2\n")
    (root / "pyproject.toml").write_text(
        f'[tool.setuptools]\npackages = [{listed}]\n[tool.fireside.budget]\n"app" = 5\n"app/core" = {allowed}\n'
    )


def test_comments_blank_lines_and_docstrings_are_not_counted() -> None:
    import check_budget

    source = '''"""One.

    Two.
    """

    # why
    def f(a):  # because
        """Says."""
        text = """a

        b"""
        return (text +
                a)
    '''.replace("\n    ", "\n")
    assert check_budget.code_lines(source) == 6


def test_a_package_within_its_budget_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import check_budget

    write_project(tmp_path, allowed=2)
    assert check_budget.main(tmp_path) == 0
    assert "app/core            2 of      2 lines\n" in capsys.readouterr().out


def test_a_package_over_its_budget_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import check_budget

    write_project(tmp_path, allowed=1)
    assert check_budget.main(tmp_path) == 1
    assert "over" in capsys.readouterr().out


def test_a_package_that_pyproject_does_not_list_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import check_budget

    write_project(tmp_path, allowed=2, listed='"app"')
    assert check_budget.main(tmp_path) == 1
    assert "app.core is not listed" in capsys.readouterr().out
