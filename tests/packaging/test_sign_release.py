"""A release file that the script signs is one that the program believes."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from app.core.build import ReleaseHome
from app.core.errors.hub_errors import ReleaseRefused
from app.features.updates import ReleaseStanding, release_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = "https://fireside.example/releases"


def made_key(folder: Path, kind: str = "ed25519") -> Path:
    path = folder / f"{kind}.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", kind, "-out", path], check=True, capture_output=True)
    return path


def test_what_is_signed_is_believed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sign_release import main

    notes = tmp_path / "notes.txt"
    notes.write_text("Schneller.\n", "utf-8")
    main([str(made_key(tmp_path)), "--page", PAGE, "--notes", str(notes)], tmp_path / "dist")
    public = capsys.readouterr().out.split()[-1]
    content, signature = ((tmp_path / "dist" / name).read_bytes() for name in ("release.json", "release.json.sig"))
    release = release_of(content, signature, public, "host")
    assert (release.version, release.standing, release.page) == (__version__, ReleaseStanding.SAME, PAGE)
    assert release.notes == "Schneller."
    with pytest.raises(ReleaseRefused):
        release_of(content + b" ", signature, public, "host")
    with pytest.raises(ReleaseRefused):
        release_of(content, signature, base64.b64encode(bytes(32)).decode(), "host")


def test_the_newest_part_of_the_changelog_is_what_is_new() -> None:
    from sign_release import newest_notes

    notes = newest_notes()
    assert notes.strip()
    assert "\n## " not in notes


def test_what_the_program_would_refuse_is_not_made(tmp_path: Path) -> None:
    from sign_release import main

    key = made_key(tmp_path)
    for arguments, words in (
        ([str(key), "--page", "http://fireside.example"], "unreadable"),
        ([str(made_key(tmp_path, "x25519")), "--page", PAGE], "Ed25519"),
        ([str(ROOT / "key.pem"), "--page", PAGE], "outside"),
    ):
        with pytest.raises(SystemExit, match=words):
            main(arguments, tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize(
    ("home", "words"),
    [
        (ReleaseHome(), "no address and no key"),
        (ReleaseHome("https://fireside.example/release.json"), "no key"),
        (ReleaseHome("http://fireside.example/release.json", "key"), "not https"),
        (ReleaseHome("https://fireside.example/release.json", "key"), ""),
    ],
)
def test_a_release_that_could_never_find_the_next_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, home: ReleaseHome, words: str
) -> None:
    import sign_release

    monkeypatch.setattr(sign_release, "RELEASES", home)
    if not words:
        sign_release.main(["--check-home"])
        return
    with pytest.raises(SystemExit) as refused:
        sign_release.main(["--check-home"])
    assert words in str(refused.value)


def test_the_check_needs_no_library() -> None:
    """It runs on a builder before anything is installed there."""
    command = [sys.executable, "-S", str(ROOT / "packaging" / "sign_release.py"), "--check-home"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr
