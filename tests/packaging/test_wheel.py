"""An installed wheel has what the program reads: its help, with the changelog as a page of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "CHANGELOG.md", "LICENSE", "THIRD_PARTY.md")
BUILD = "from setuptools.build_meta import build_wheel; import sys; build_wheel(sys.argv[1])"
READ = """
from app.features.help_pages import load_help_page
from app.ui.help.help_topics import PAGES
import app
print(app.__file__, *(load_help_page(name, "de").title for name in PAGES), sep="|")
"""


def run_python(code: str, folder: Path, *arguments: str) -> str:
    """What a Python of its own prints, which finds nothing of this checkout."""
    command = [sys.executable, "-P", "-c", code, *arguments]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def test_every_page_of_the_help_is_in_a_wheel(tmp_path: Path) -> None:
    project, installed = tmp_path / "project", tmp_path / "installed"
    shutil.copytree(ROOT / "resources/help", project / "resources/help")
    (project / "app").symlink_to(ROOT / "app")
    for path in [ROOT / name for name in PROJECT] + [*ROOT.glob("resources/*.json")]:
        shutil.copy(path, project / path.relative_to(ROOT))
    run_python(BUILD, project, str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    program, *titles = run_python(READ, installed).strip().split("|")
    assert Path(program).is_relative_to(installed)
    assert len(titles) > 1
    assert all(titles)
