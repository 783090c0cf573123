"""A list of files and folders becomes a list of files: each once, in order, and never without end."""

from __future__ import annotations

import os
from pathlib import Path

from app.documents.folder import MOST_FILES, SkippedPath, expand


def write(folder: Path, *names: str) -> list[Path]:
    """Files with a word in them."""
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("word")
    return paths


def test_files_stay_in_the_order_they_were_named(tmp_path: Path) -> None:
    paths = write(tmp_path, "b.txt", "a.pdf", "c")
    assert expand(paths).files == tuple(paths)


def test_a_folder_becomes_its_files_by_name_with_those_below(tmp_path: Path) -> None:
    write(tmp_path, "b.txt", "A.txt", "deep/er/d.md", "c.docx")
    assert [path.relative_to(tmp_path).as_posix() for path in expand([tmp_path]).files] == [
        "A.txt", "b.txt", "c.docx", "deep/er/d.md"
    ]  # fmt: skip


def test_hidden_files_and_what_office_programs_leave_are_left_out(tmp_path: Path) -> None:
    names = [".git/config", ".hidden", "~$report.docx", ".~lock.a.odt#", "__MACOSX/x.txt", "Thumbs.db", "here.txt"]
    write(tmp_path, *names)
    found = expand([tmp_path])
    assert ([path.name for path in found.files], found.skipped) == (["here.txt"], ())


def test_what_is_clearly_no_document_is_skipped_in_a_folder_and_tried_when_it_is_named(tmp_path: Path) -> None:
    picture, text = write(tmp_path, "photo.JPG", "text.txt")
    assert expand([tmp_path]).files == (text,)
    assert expand([tmp_path]).skipped == (SkippedPath(picture, "no_document"),)
    assert expand([picture]).files == (picture,)


def test_the_same_file_is_taken_once_however_it_is_named(tmp_path: Path) -> None:
    (path,) = write(tmp_path, "a.txt")
    (tmp_path / "link.txt").symlink_to(path)
    os.link(path, tmp_path / "other.txt")
    assert expand([path, path, tmp_path / "." / "a.txt", tmp_path]).files == (path,)


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    (path,) = write(tmp_path, "one/a.txt")
    (tmp_path / "one" / "back").symlink_to(tmp_path)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    found = expand([tmp_path])
    assert found.files == (path,)
    assert found.skipped == (SkippedPath(loop, "missing"),)


def test_a_link_to_a_folder_is_followed_once(tmp_path: Path) -> None:
    write(tmp_path, "real/a.txt", "real/b.txt")
    (tmp_path / "again").symlink_to(tmp_path / "real")
    assert [path.name for path in expand([tmp_path]).files] == ["a.txt", "b.txt"]


def test_numbers_in_names_are_in_their_order(tmp_path: Path) -> None:
    names = (
        "chapter 10.txt",
        "Chapter 2.txt",
        "chapter 1.txt",
        "chapter 10b.txt",
        "\u0662.txt",
        "x" + "9" * 30 + ".txt",
    )
    write(tmp_path, *names)
    found = [path.name for path in expand([tmp_path]).files]
    assert found == [names[4], names[2], names[1], names[0], names[3], names[5]]


def test_pipes_and_devices_are_not_files_and_a_missing_path_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    gone = tmp_path / "gone.pdf"
    found = expand([tmp_path / "pipe", Path("/dev/zero"), gone, Path("nul\0.txt")])
    assert found.files == ()
    assert [each.reason for each in found.skipped] == ["not_a_file", "not_a_file", "missing", "missing"]


def test_at_most_two_hundred_files_are_taken(tmp_path: Path) -> None:
    paths = write(tmp_path, *(f"{number:03}.txt" for number in range(MOST_FILES + 5)))
    found = expand([tmp_path])
    assert (found.files, found.is_cut) == (tuple(paths[:MOST_FILES]), True)
    assert not expand(paths[:MOST_FILES]).is_cut


def test_names_of_any_bytes_are_only_names(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/\xff\xfe.txt"
    with open(raw, "wb") as file:  # noqa: PTH123 - a name that is no text
        file.write(b"word")
    assert expand([tmp_path]).files == (Path(os.fsdecode(raw)),)
