"""What is made in an older system is this commit, with what set-up brought into the checkout, and comes here whole."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with a commit, a file that set-up brought, and a change that is in no commit."""
    import older_root

    folder = tmp_path / "checkout"
    for name, text in {".gitignore": "/resources/fonts/\n", "a.txt": "one", "resources/fonts/face.otf": "font"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    commit_all(folder)
    (folder / "a.txt").write_text("changed")
    monkeypatch.setattr(older_root, "ROOT", folder)
    monkeypatch.setattr(older_root, "DIST", folder / "dist")
    return folder


def commit_all(folder: Path) -> None:
    for words in (["add", "."], ["commit", "--quiet", "-m", "all"]):
        subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.c", *words], check=True)


def test_the_commit_and_what_set_up_brought_are_what_is_built(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from older_root import bring_commit, bring_resources

    there = tmp_path / "root" / "build"
    for package in ("whole.deb", "lite.deb"):
        commit = bring_commit(there)
        assert f"made of {commit[:9]} without them" in capsys.readouterr().out
        bring_resources(there)
        (there / "dist").mkdir(exist_ok=True)
        (there / "dist" / package).touch()
    assert (there / "a.txt").read_text() == "one" and (there / "dist" / "whole.deb").exists()
    assert (there / "resources" / "fonts" / "face.otf").read_text() == "font"
    commit_all(checkout)
    bring_commit(there)
    assert (there / "a.txt").read_text() == "changed" and not (there / "dist").exists()


def test_what_was_made_takes_the_place_of_what_was_there(checkout: Path, tmp_path: Path) -> None:
    from older_root import take

    for folder, text in ((checkout / "dist", "before"), (tmp_path / "made", "after")):
        (folder / "fireside").mkdir(parents=True)
        (folder / "fireside.deb").write_text(text)
        (folder / "fireside" / text).write_text(text)
    (checkout / "dist" / "other.exe").write_text("stays")
    take(tmp_path / "made")
    assert (checkout / "dist" / "fireside.deb").read_text() == "after" and (checkout / "dist" / "other.exe").exists()
    assert [path.name for path in (checkout / "dist" / "fireside").iterdir()] == ["after"]
