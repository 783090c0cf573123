"""The line budget counts code only and notices what is over; every folder of the program is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def write_project(root: Path, *, allowed: int) -> None:
    (root / "app" / "core").mkdir(parents=True)
    (root / "app" / "__init__.py").write_text('"""The program."""\n\nVERSION = 1\n')
    (root / "app" / "core" / "__init__.py").write_text("")
    (root / "app" / "core" / "words.py").write_text("# why\nA = 1\nB = 2\n")
    (root / "pyproject.toml").write_text(f'[tool.fireside.budget]\n"app" = 5\n"app/core" = {allowed}\n')


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


def test_every_folder_of_the_program_and_the_resources_are_installed(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    (tmp_path / "resources").symlink_to(root / "resources")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md"):
        shutil.copy(root / name, tmp_path)
    shutil.copytree(root / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "setup.py", "--quiet", "egg_info"], cwd=tmp_path, check=True)
    listed = (tmp_path / "fireside.egg-info" / "SOURCES.txt").read_text("utf-8").split()
    wanted = {path.relative_to(root).as_posix() for path in (root / "app").rglob("*.py")}
    assert wanted <= set(listed)
    assert any(path.startswith("resources/styles/") for path in listed)
