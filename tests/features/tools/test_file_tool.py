"""Only files that were dropped or lie below granted folders are read, whatever path is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.core.paths import AppPaths
from app.features.document_library import DocumentLibrary, build_documents
from app.features.tools.document_tools import DocumentTools
from app.features.tools.file_tool import FileTool
from app.features.tools.tool import ToolRefused, ToolResult
from app.store.database import Database
from tests.helpers import hostile_files

SECRET = "the secret of the outside"


class Desk:
    """A granted folder with files, a dropped file, and what lies outside of both."""

    def __init__(self, folder: Path, library: DocumentLibrary, database: Database) -> None:
        self.folder, self.library = folder / "granted", library
        (self.folder / "deep").mkdir(parents=True)
        (self.folder / "notes.txt").write_text("The kiln is hot.\n\nIt cools for two days.", "utf-8")
        (self.folder / "deep" / "more.md").write_text("# More\n\nOf the kiln.", "utf-8")
        self.outside = folder / "outside"
        self.outside.mkdir()
        (self.outside / "secret.txt").write_text(SECRET, "utf-8")
        self.dropped = folder / "dropped.txt"
        self.dropped.write_text("Dropped words.", "utf-8")
        self.folders, self.files = [self.folder], [self.dropped]
        self.documents = DocumentTools(database, library, list)
        self.tool = FileTool(library, self.documents, lambda: self.folders, lambda: self.files)

    def read(self, path: str, is_stopped: Callable[[], bool] = lambda: False) -> ToolResult:
        return self.tool.read({"path": path}, is_stopped)

    def refusal(self, path: str) -> str:
        with pytest.raises(ToolRefused) as refusal:
            self.read(path)
        assert SECRET not in str(refusal.value)
        return str(refusal.value)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(Database.in_memory()) as database:
        yield Desk(tmp_path, build_documents(AppPaths.from_environment(), database), database)


def test_granted_files_are_read_with_their_places(desk: Desk) -> None:
    for path in ("notes.txt", str(desk.folder / "notes.txt"), "deep/../notes.txt", "./notes.txt"):
        result = desk.read(path)
        assert "The kiln is hot." in result.text
        assert result.places
    assert "Of the kiln." in desk.read("deep/more.md").text
    assert desk.read("dropped.txt").text == desk.read(str(desk.dropped)).text == "Dropped words."
    again = desk.documents.read_pages({"document": "notes.txt", "first_page": 2}, lambda: False)
    assert again.text == "It cools for two days.", "what was read can be read on, and counted"


def test_a_granted_folder_is_listed(desk: Desk) -> None:
    (desk.folder / ".hidden").write_text(SECRET)
    (desk.folder / "link").symlink_to(desk.outside)
    for path in (".", str(desk.folder), "granted", f"{desk.folder}/"):
        assert desk.read(path).text == "deep/\nnotes.txt (40 bytes)"
    assert desk.read("deep").text.startswith("more.md")


@pytest.mark.parametrize(
    "path",
    [
        "../outside/secret.txt",
        "deep/../../outside/secret.txt",
        "{outside}/secret.txt",
        "{folder}/../outside/secret.txt",
        "{folder}x/secret.txt",
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        "~/.ssh/id_rsa",
        "..",
        "../granted/../outside/secret.txt",
        "file:///etc/passwd",
        "\\\\server\\share\\secret.txt",
        "notes.txt\0.png",
        "",
        " ",
        "a/" * 3000,
        "x" * 5000,
        "notes.txt/more",
        "missing.txt",
        "deep/missing.txt",
    ],
)
def test_whatever_else_is_asked_for_is_refused(desk: Desk, path: str) -> None:
    desk.refusal(path.format(outside=desk.outside, folder=desk.folder))


def test_nothing_can_be_learnt_of_what_lies_outside(desk: Desk) -> None:
    there, missing = desk.refusal("../outside/secret.txt"), desk.refusal("../outside/nothing.txt")
    assert there.replace("secret", "nothing") == missing


def test_links_are_not_followed(desk: Desk) -> None:
    (desk.folder / "link.txt").symlink_to(desk.outside / "secret.txt")
    (desk.folder / "own.txt").symlink_to(desk.folder / "notes.txt")
    (desk.folder / "far").symlink_to(desk.outside)
    for path in ("link.txt", "own.txt", "far/secret.txt", "far"):
        assert "links are not followed" in desk.refusal(path)
    desk.files = [desk.folder / "link.txt"]
    assert "links are not followed" in desk.refusal("link.txt")


def test_a_folder_that_was_granted_by_a_link_is_where_it_points(desk: Desk, tmp_path: Path) -> None:
    pointer = tmp_path / "pointer"
    pointer.symlink_to(desk.folder)
    desk.folders = [pointer]
    assert "The kiln is hot." in desk.read("notes.txt").text


def test_hidden_files_and_what_is_no_file_are_refused(desk: Desk) -> None:
    (desk.folder / ".env").write_text(SECRET)
    (desk.folder / ".git").mkdir()
    (desk.folder / ".git" / "config").write_text(SECRET)
    os.mkfifo(desk.folder / "pipe")
    assert "hidden files are not read" in desk.refusal(".env")
    assert "hidden files are not read" in desk.refusal(".git/config")
    assert "no file that can be read" in desk.refusal("pipe")


def test_large_files_are_refused_before_they_are_read(desk: Desk) -> None:
    with (desk.folder / "large.txt").open("wb") as file:
        file.truncate(20_000_001)
    assert "at most 20 MB are read" in desk.refusal("large.txt")


def test_a_link_that_takes_a_files_place_while_it_is_read_gives_nothing(desk: Desk, monkeypatch: object) -> None:
    path = desk.folder / "notes.txt"
    reads = desk.library.read_file

    def swap_and_read(asked: Path, cancel: CancelToken, **options: Any) -> object:
        path.unlink()
        path.symlink_to(desk.outside / "secret.txt")
        return reads(asked, cancel, **options)

    desk.library.read_file = swap_and_read  # type: ignore[method-assign, assignment]
    assert "links are not followed" in desk.refusal("notes.txt")


def test_a_grant_ends_when_it_is_taken_back(desk: Desk) -> None:
    desk.folders, desk.files = [], []
    for path in ("notes.txt", str(desk.folder / "notes.txt"), str(desk.dropped)):
        assert "was not granted" in desk.refusal(path)


def test_a_hostile_file_is_an_error_of_its_own_and_no_more(desk: Desk) -> None:
    hostile_files.docx_of_3_gigabytes(desk.folder / "bomb.docx")
    (desk.folder / "broken.pdf").write_bytes(b"%PDF-1.7\n" + b"\0" * 100)
    for name in ("bomb.docx", "broken.pdf"):
        with pytest.raises(AppError):
            desk.read(name)
    assert "The kiln is hot." in desk.read("notes.txt").text


def test_stop_ends_reading(desk: Desk) -> None:
    with pytest.raises(ToolRefused, match="stopped"):
        desk.read("notes.txt", lambda: True)


@given(
    st.lists(st.sampled_from(["..", ".", "deep", "outside", "granted", "secret.txt", "notes.txt", "", "~"]), max_size=8)
)
def test_no_path_leads_outside(parts: list[str]) -> None:
    folder = Path("/nowhere/at/all/granted")
    tool = FileTool(None, None, lambda: [folder], list)  # type: ignore[arg-type]
    for written in ("/".join(parts), f"{folder}/{'/'.join(parts)}"):
        with pytest.raises(ToolRefused):
            tool.find_granted(written)
