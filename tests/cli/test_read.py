"""`read FILE` in the terminal, as a process: text or one JSON object on standard output, everything else beside it."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.cli.terminal import PRESS_TO_STOP
from app.core.errors.document_errors import DocumentLocked, DocumentPagesMissing, DocumentUnreadable
from app.core.errors.request_errors import MediaRefused
from app.documents.source import ReadingRemark
from app.features.document_messages import remark_sentence
from app.features.error_messages import sentence_for, silence_sentence
from tests.helpers import warm
from tests.helpers.documents import WORDS, good_pdf, long_text, pdf_pages, shown
from tests.helpers.office_files import paragraph, write_docx, write_zip
from tests.helpers.pdf_files import Lock, Page, write_pdf
from tests.helpers.scans import drawn, letter, scan
from tests.helpers.script import write_script
from tests.helpers.terminal import ROOT, command, fireside, only_json
from tests.helpers.typist import Typist

LOCKED, WRONG = (sentence_for(DocumentLocked("secret.pdf", is_wrong=is_wrong)).text for is_wrong in (False, True))
FIELDS = {"pages", "pages_without_text", "blocks", "language", "warnings"}


def test_a_document_is_text_with_its_pages_marked(tmp_path: Path) -> None:
    path = good_pdf(tmp_path / "two.pdf", 2)
    result = fireside("read", str(path))
    assert result.returncode == 0
    assert result.stdout.splitlines() == [
        "[p. 1]", "", f"Page 1: {WORDS[:60].strip()}", "", "[p. 2]", "", f"Page 2: {WORDS[:60].strip()}"
    ]  # fmt: skip
    assert "Reading two.pdf" in result.stderr


def test_json_is_one_object_with_the_blocks(tmp_path: Path) -> None:
    path = tmp_path / "Über.md"
    path.write_text(f"# Title\n\n{WORDS}\n\n## Part\n\n- one\n", "utf-8")
    body = only_json(fireside("read", str(path), "--json"))
    assert body.keys() >= FIELDS
    assert [block.keys() for block in body["blocks"]] == [{"id", "kind", "page", "heading_path", "text"}] * 4
    assert [(block["id"], block["kind"], block["heading_path"]) for block in body["blocks"]] == [
        (1, "heading", []), (2, "paragraph", ["Title"]), (3, "heading", ["Title"]), (4, "list_item", ["Title", "Part"])
    ]  # fmt: skip
    assert body["blocks"][1]["text"] == WORDS
    assert (body["pages"], body["pages_without_text"], body["language"], body["warnings"]) == (0, [], "en", [])
    assert (body["file"], body["format"]) == ("Über.md", "markdown")


def test_what_is_not_as_it_seems_is_told_beside_the_text(tmp_path: Path) -> None:
    path = tmp_path / "letter.doc"
    path.write_bytes(rb"{\rtf1\ansi A letter.}")
    result = fireside("read", str(path))
    assert (result.returncode, result.stdout) == (0, "A letter.\n")
    sentence = remark_sentence(ReadingRemark("really", {"format": "rtf", "ending": ".doc"}))
    assert sentence in result.stderr
    assert only_json(fireside("read", str(path), "--json"))["warnings"] == [sentence]


def test_pages_without_text_are_told(tmp_path: Path) -> None:
    path = tmp_path / "some.pdf"
    path.write_bytes(pdf_pages([shown("words"), b"", shown("words")]))
    body = only_json(fireside("read", str(path), "--json"))
    assert (body["pages"], body["pages_without_text"]) == (3, [2])
    assert body["warnings"] == ["2 of 3 pages read; 2 is empty."]


def test_a_part_is_chosen_by_its_pages(tmp_path: Path) -> None:
    path = good_pdf(tmp_path / "nine.pdf", 9)
    for chosen, expected in (("3-5", [3, 4, 5]), ("7", [7]), ("8-", [8, 9]), ("-2", [1, 2])):
        body = only_json(fireside("read", str(path), f"--pages={chosen}", "--json"))
        assert [block["page"] for block in body["blocks"]] == expected
        assert body["pages"] == 9


def test_an_encoding_is_the_persons_choice(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_bytes("Привет".encode("cp866"))
    body = only_json(fireside("read", str(path), "--encoding", "cp866", "--json"))
    assert (body["blocks"][0]["text"], body["encoding"]) == ("Привет", "cp866")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("nothing.pdf", None, "missing"),
        ("empty.pdf", b"", "empty"),
        ("broken.pdf", b"%PDF-1.7\nnothing", "damaged"),
        ("blank.txt", b"  \n", "no_text"),
        ("program.txt", b"\x7fELF\x02\x01\x01" + bytes(99), "not_text"),
    ],
)
def test_a_failure_is_one_sentence(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    for more in ([], ["--json"]):
        result = fireside("read", str(tmp_path / name), *more)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.splitlines()[-1] == sentence_for(DocumentUnreadable(name, reason)).text
        assert "Traceback" not in result.stderr


def test_pages_that_are_not_there_are_told(tmp_path: Path) -> None:
    path = good_pdf(tmp_path / "lease.pdf")
    result = fireside("read", str(path), "--pages", "40-50")
    assert (result.returncode, result.stdout) == (1, "")
    error = DocumentPagesMissing(str(path), pages=1, unit="page", first_page=40, last_page=50)
    assert result.stderr.splitlines()[-1] == sentence_for(error).text
    result = fireside("read", str(path), "--pages", "1-50")
    assert result.returncode == 0
    remark = ReadingRemark("fewer_pages", {"unit": "page", "pages": 1, "last": 50})
    assert remark_sentence(remark) in result.stderr


def test_an_archive_shows_its_documents(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"one.txt": "First words.", "two.md": "# Title\n\nSecond words."})
    result = fireside("read", str(path))
    assert result.stdout.split("\n\n") == [
        "[file 1]", "# one.txt", "First words.", "[file 2]", "# two.md",
        "## Title", "Second words.\n",
    ]  # fmt: skip


def test_a_file_is_found_from_where_the_person_is() -> None:
    result = fireside("read", "nothing.pdf")
    missing = sentence_for(DocumentUnreadable("nothing.pdf", "missing")).text
    assert (result.returncode, result.stderr.splitlines()[-1]) == (1, missing)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a", "b"],
        ["a", "--pages", "x"],
        ["a", "--pages", "5-3"],
        ["a", "--pages", "0"],
        ["a", "--encoding", "none"],
    ],
)
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    result = fireside("read", *arguments)
    assert (result.returncode, result.stdout) == (2, "")


def locked(path: Path) -> Path:
    """A PDF that asks for a password."""
    page = Page()
    page.text(72, 100, WORDS[:60])
    return write_pdf(path, [page], lock=Lock("sesame", "owner"))


def test_a_password_is_given_or_missed(tmp_path: Path) -> None:
    path = locked(tmp_path / "secret.pdf")
    for more, code, sentence in (
        ([], 1, LOCKED),
        (["--password", "wrong"], 1, WRONG),
    ):
        result = fireside("read", str(path), *more)
        assert (result.returncode, result.stderr.splitlines()[-1]) == (code, sentence)
    result = fireside("read", str(path), "--password", "sesame")
    assert (result.returncode, WORDS[:40] in result.stdout, "sesame" in result.stderr) == (0, True, False)


def test_a_password_is_asked_for_on_a_terminal_until_it_is_right(tmp_path: Path) -> None:
    path = locked(tmp_path / "secret.pdf")
    with closing(Typist("read", str(path), "--json")) as typist:
        typist.wait_for(f"{LOCKED}\r\nPassword: ")
        typist.type("wrong\n")
        typist.wait_for(f"{WRONG}\r\nPassword: ")
        typist.type("sesame\n")
        typist.wait_for('"pages": 1')
        assert typist.end() == 0
        assert "sesame" not in typist.shown


def test_no_password_is_an_answer_too(tmp_path: Path) -> None:
    with closing(Typist("read", str(locked(tmp_path / "secret.pdf")))) as typist:
        typist.wait_for("Password: ")
        typist.type("\n")
        assert typist.end() == 1


def test_ctrl_c_ends_it_with_130(tmp_path: Path) -> None:
    path = long_text(tmp_path / "long.txt", 60_000_000)
    process = warm.Process(
        command(["read", str(path), "--json"]),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stderr
        assert b"Reading long.txt" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err


def test_a_document_that_does_not_get_on_is_told_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "stuck.txt"
    path.write_text(WORDS)
    program = (
        "import sys\n"
        "from app.cli import terminal\n"
        "from app.__main__ import main\n"
        "from app.documents import read_document as reading\n"
        "from tests.helpers.documents import WAITS_FOR_ITSELF, Hanging\n"
        "terminal.BEAT_EVERY_S = 0.3\n"
        "reading.own_command = Hanging(WAITS_FOR_ITSELF)\n"
        f"sys.exit(main(['read', {str(path)!r}]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stderr
        told = f"{silence_sentence('document', 'stuck.txt').text} {PRESS_TO_STOP}\n".encode()
        assert any(line == told for line in process.stderr)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_a_folder_is_told_by_what_it_is(tmp_path: Path) -> None:
    result = fireside("read", str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    assert sentence_for(DocumentUnreadable(str(tmp_path), "folder")).text in result.stderr


def test_a_reader_that_goes_away_is_no_error_to_tell(tmp_path: Path) -> None:
    path = long_text(tmp_path / "long.txt", 3_000_000)
    arguments = " ".join(f"'{word}'" for word in command(["read", str(path)]))
    result = subprocess.run(
        ["bash", "-c", f"{arguments} | head -1"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.stdout == WORDS + "\n"
    assert "Traceback" not in result.stderr
    assert "Exception" not in result.stderr


def test_no_window_library_and_no_parser_is_loaded(tmp_path: Path) -> None:
    path = write_docx(tmp_path / "a.docx", paragraph(WORDS))
    program = (
        "import sys\n"
        "from app.__main__ import main\n"
        f"code = main(['read', {str(path)!r}])\n"
        "heavy = ('PySide6', 'lxml', 'pypdfium2', 'numpy', 'llama_cpp', 'httpx2')\n"
        "print(code, [name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == WORDS + "\n"
    assert result.stderr.splitlines()[-1] == "0 []"


def test_a_scan_is_read_by_a_model_that_sees_and_says_so(tmp_path: Path) -> None:
    page = "| Month | Rent |\n| --- | --- |\n| May | 1,450 |"
    script = write_script(tmp_path, {"text": "Rent is due.", "times": 1}, {"text": page}, load={"sees": True})
    path = scan(tmp_path / "lease.pdf", drawn([letter()] * 2, tmp_path, 40), 40)
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script), "PATH": str(tmp_path)}
    asked = ["read", str(path), "--pictures", "model", "--model", str(tmp_path / "any.gguf"), "--json"]
    body = only_json(fireside(*asked, environment=environment))
    assert [(one["kind"], one["text"], one["page"], one["read_by"]) for one in body["blocks"]] == [
        ("paragraph", "Rent is due.", 1, "model"),
        ("table", "Month\tRent\nMay\t1,450", 2, "model"),
    ]
    assert (body["pages_without_text"], body["pages_recognized"]) == ([], [1, 2])
    left = only_json(fireside("read", str(path), "--pictures", "none", "--json", environment=environment))
    assert (left["blocks"], left["pages_without_text"]) == ([], [1, 2])
    assert "tesseract" not in " ".join(left["warnings"]), "nobody wanted it"


def test_a_model_that_does_not_see_is_a_sentence(tmp_path: Path) -> None:
    script = write_script(tmp_path)
    path = scan(tmp_path / "lease.pdf", drawn([letter()], tmp_path, 40), 40)
    asked = ["read", str(path), "--pictures", "model", "--model", str(tmp_path / "any.gguf")]
    result = fireside(*asked, environment={"FIRESIDE_ENGINE_SCRIPT": str(script)})
    assert (result.returncode, result.stdout) == (1, "")
    assert sentence_for(MediaRefused(str(path), "picture", "blind")).text in result.stderr
