"""`summarize` and `evaluate summarize` in the terminal, as processes with the scripted engine and with the starter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.cli.evaluate import NO_SUMMARIES, SKIPPED
from app.cli.summarize import IS_INPUT, MODEL_WROTE, NO_PDF, OWN_NEEDS_INSTRUCTION, USE_MODEL
from app.cli.terminal import MUST_END_IN, NO_FOLDER
from app.core.errors.document_errors import DocumentLocked, DocumentUnreadable
from app.core.errors.saving_errors import FolderNotWritable
from app.core.settings import Settings, save_settings
from app.features.error_messages import sentence_for
from app.features.summarize.evaluate_summaries import NOT_JSON
from app.features.summarize.laid_out import STOPPED_WRITING
from app.features.summarize.summary_messages import DIGEST_WORDS
from tests.helpers import warm
from tests.helpers.documents import WORDS, pdf_pages, read, shown
from tests.helpers.pdf_files import Lock, Page, write_pdf
from tests.helpers.script import requests, write_script
from tests.helpers.terminal import ROOT, command, fireside, only_json
from tests.helpers.tiny_checker import make_checker
from tests.helpers.typist import Typist

ALL_ENDINGS = ".md, .json, .docx, .html"
LOCKED, WRONG = (sentence_for(DocumentLocked("secret.pdf", is_wrong=is_wrong)).text for is_wrong in (False, True))
MISSING = sentence_for(DocumentUnreadable("none.pdf", "missing")).text
FIELDS = ["summary", "claims", "coverage", "sections", "seconds", "model", "method", "warnings", "errors", "set_aside"]
RENT, NOTICE = "The rent of the flat is 960 euros.", "Notice is given three months before the end."
WATER = "Heating and water are paid by the tenant."
LEASE = f"{RENT}\n\n{NOTICE}\n\n{WATER}"
ANSWER = f"- {RENT} [1]\n- {NOTICE} [2]\n"
FIGURES = {
    "model", "length", "documents", "rouge", "lead3", "claims", "claims_found", "numbers", "numbers_right", "coverage",
    "compression", "seconds", "seconds_per_document", "errors", "machine", "compared",
}  # fmt: skip


@pytest.fixture
def lease(tmp_path: Path) -> Path:
    """A short text of three paragraphs."""
    path = tmp_path / "lease.txt"
    path.write_text(LEASE, "utf-8")
    return path


def scripted(tmp_path: Path, *arguments: object, answer: str = ANSWER, **rule: Any) -> subprocess.CompletedProcess[str]:
    """`summarize`, or `evaluate` where the first argument says so, with an engine that gives this answer."""
    script = write_script(tmp_path / "engine", {"text": answer} | rule)
    words = [str(one) for one in arguments]
    if words[:1] != ["evaluate"]:
        words.insert(0, "summarize")
    return fireside(*words, "--model", "scripted.gguf", environment={"FIRESIDE_ENGINE_SCRIPT": str(script)})


def long_lease(tmp_path: Path, paragraphs: int = 400) -> Path:
    """A text that takes several sections."""
    path = tmp_path / "long.txt"
    path.write_text("\n\n".join(f"Clause {n}: {WORDS}" for n in range(1, paragraphs + 1)), "utf-8")
    return path


def test_a_digest_asks_no_model_and_its_claims_are_sentences_of_the_document(tmp_path: Path, lease: Path) -> None:
    out = tmp_path / "out.md"
    result = fireside("summarize", str(lease), "--method", "digest", "--length", "short", "--json", "-o", str(out))
    body = only_json(result)
    assert (result.returncode, list(body)) == (0, FIELDS)
    assert [claim["text"] for claim in body["claims"]] == LEASE.split("\n\n")
    assert all(claim["found"] for claim in body["claims"])
    assert [claim["block_ids"] for claim in body["claims"]] == [[1], [2], [3]]
    assert (body["method"], body["model"], body["coverage"]["blocks_read"]) == ("digest", "", 3)
    assert "Loading" not in result.stderr
    saved = out.read_text("utf-8")
    assert DIGEST_WORDS in saved
    assert NOTICE in saved
    wrong = fireside("summarize", str(lease), "--method", "digest", "--form", "actions")
    assert (wrong.returncode, wrong.stdout) == (2, "")


def test_json_is_one_object_with_the_fixed_fields(tmp_path: Path, lease: Path) -> None:
    result = scripted(tmp_path, lease, "--json")
    body = only_json(result)
    assert (result.returncode, list(body)) == (0, FIELDS)
    assert body["summary"] == f"- {RENT}\n- {NOTICE}"
    assert body["claims"] == [
        {"text": RENT, "file": "lease.txt", "pages": [], "block_ids": [1], "found": True, "reason": None},
        {"text": NOTICE, "file": "lease.txt", "pages": [], "block_ids": [2], "found": True, "reason": None},
    ]
    counts = {"blocks": 3, "blocks_read": 3, "pages": 0, "pages_read": 0}
    assert body["coverage"] == counts | {"pages_without_text": [], "left_apart": []}
    assert (body["sections"], body["model"], body["errors"]) == (1, "scripted.gguf", [])
    assert body["seconds"] > 0


def test_without_json_the_text_is_on_standard_output_and_the_rest_beside_it(tmp_path: Path, lease: Path) -> None:
    answer = f"- The rent of the flat is 900 euros. [1]\n- {NOTICE} [2]\n- {WATER} [3]\n"
    result = scripted(tmp_path, lease, answer=answer)
    assert result.returncode == 0
    first, second, third = result.stdout.splitlines()
    assert first.startswith("- The rent of the flat is 900 euros. [source 1] (")
    assert "960" in first.partition("(")[2]
    assert (second, third) == (f"- {NOTICE} [source 2]", f"- {WATER} [source 3]")
    told = result.stderr.splitlines()
    assert told[:3] == ["Reading lease.txt", "Loading scripted.gguf", "Section 1 of 1"]
    assert "3 statements: 2 found in the text, 1 differs." in told


def test_what_a_model_wrote_and_was_not_found_is_still_told_beside_the_documents_sentences(
    tmp_path: Path, lease: Path
) -> None:
    wrong = "The rent of the flat is 900 euros."
    result = scripted(tmp_path, lease, answer=f"- {wrong} [1]\n- {NOTICE} [2]\n")
    assert result.returncode == 0
    assert wrong not in result.stdout and RENT in result.stdout
    told = result.stderr.splitlines()
    assert any("1 of the 2" in line and "scripted.gguf" in line for line in told)
    assert told[told.index(MODEL_WROTE.format(model="scripted.gguf")) + 1 :] == [f"- {wrong}", f"- {NOTICE}"]
    body = only_json(scripted(tmp_path, lease, "--json", answer=f"- {wrong} [1]\n- {NOTICE} [2]\n"))
    assert (body["method"], [claim["found"] for claim in body["set_aside"]]) == ("digest", [False, True])


def test_a_checker_marks_what_no_paragraph_supports(tmp_path: Path, lease: Path) -> None:
    folder = make_checker(tmp_path / "checker")
    answer = f"- {RENT.removesuffix('.')} and paid in gold. [1]\n- {NOTICE} [2]\n"
    rules = [{"when": "claim-checker", "can_chat": False}, {}]
    script = write_script(tmp_path / "engine", {"text": answer}, load=rules)
    body = only_json(
        fireside(
            "summarize", str(lease), "--json", "--method", "model", "--model", "scripted.gguf",
            "--checker", str(folder),
            environment={"FIRESIDE_ENGINE_SCRIPT": str(script)},
        )
    )  # fmt: skip
    assert [claim["unsupported"] for claim in body["claims"]] == [["and paid in gold."], []]
    wrong = scripted(tmp_path, lease, "--checker", lease)
    assert (wrong.returncode, wrong.stdout) == (1, "")


@pytest.mark.parametrize("json_wanted", [True, False])
def test_what_was_read_is_printed_where_the_engine_fails_for_good_at_the_end(tmp_path: Path, json_wanted: bool) -> None:
    path = tmp_path / "towns.txt"
    said = [
        "The quay of Varnes has ice.",
        "Nordby sold its mill.",
        "A school burned down in Holm.",
        "Lund won the cup.",
    ]
    path.write_text("\n\n".join(" ".join([one, *[WORDS] * 10]) for one in said), "utf-8")
    rules = [{"when": one, "text": f"[{number}] {one}"} for number, one in enumerate(said, 1)]
    ends = {"when": "^Text to summarize", "crash_after": 0}
    script = write_script(tmp_path / "engine", ends, *rules, load={"context_tokens": 2000})
    words = ["summarize", str(path), "--model", "scripted.gguf", *(["--json"] if json_wanted else [])]
    result = fireside(*words, environment={"FIRESIDE_ENGINE_SCRIPT": str(script)})
    assert result.returncode == 1, result.stderr
    assert all(one in result.stdout for one in said), result.stdout + result.stderr
    assert STOPPED_WRITING in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.strip().splitlines()[-1].endswith("."), "and why, in a sentence"
    if json_wanted:
        body = json.loads(result.stdout)
        assert body["claims"]
        assert body["coverage"]["blocks_read"] == body["coverage"]["blocks"]


def test_a_model_that_was_not_made_for_the_language_is_told_beside_and_in_the_object(tmp_path: Path) -> None:
    path = tmp_path / "miete.txt"
    rent = "Die Miete der Wohnung beträgt 960 Euro und wird am ersten Tag des Monats von der Mieterin gezahlt."
    path.write_text(
        f"{rent}\n\nDie Kündigung ist drei Monate vor dem Ende des Jahres an den Vermieter zu richten.", "utf-8"
    )
    result = scripted(tmp_path, path, "--json", answer=f"- {rent} [1]\n")
    warning = "scripted.gguf isn’t made for German. The summary may not be useful."
    assert only_json(result)["warnings"] == [warning]
    assert warning in result.stderr.splitlines()


def test_pages_are_named_and_those_without_text_are_told(tmp_path: Path) -> None:
    path = tmp_path / "lease.pdf"
    path.write_bytes(pdf_pages([shown(RENT), b"", shown(NOTICE)]))
    result = scripted(tmp_path, path, "--json")
    body = only_json(result)
    assert [(claim["pages"], claim["found"]) for claim in body["claims"]] == [([1], True), ([3], True)]
    assert (body["coverage"]["pages"], body["coverage"]["pages_read"]) == (3, 2)
    assert body["coverage"]["pages_without_text"] == [2]
    assert "2 of 3 pages read" in result.stderr


def test_several_files_become_one_summary_with_the_file_in_each_claim(tmp_path: Path, lease: Path) -> None:
    letter = tmp_path / "letter.md"
    letter.write_text("# Letter\n\nThe heating has not worked for a week.", "utf-8")
    answer = f"- {RENT} [1]\n- The heating has not worked for a week. [5]\n"
    body = only_json(scripted(tmp_path, lease, letter, tmp_path / "none.pdf", "--json", answer=answer))
    assert [(claim["file"], claim["block_ids"]) for claim in body["claims"]] == [("lease.txt", [1]), ("letter.md", [2])]
    assert body["coverage"]["blocks"] == body["coverage"]["blocks_read"] == 5
    assert body["errors"] == [{"file": "none.pdf", "reason": MISSING}]


def test_files_of_the_same_name_are_told_apart(tmp_path: Path, lease: Path) -> None:
    other = tmp_path / "other" / "lease.txt"
    other.parent.mkdir()
    other.write_text("The garage costs 80 euros.", "utf-8")
    answer = f"- {RENT} [1]\n- The garage costs 80 euros. [4]\n"
    body = only_json(scripted(tmp_path, lease, other, "--json", answer=answer))
    assert [claim["file"] for claim in body["claims"]] == [str(lease), str(other)]


def test_a_folder_stands_for_its_documents_and_a_file_that_is_named_twice_is_read_once(
    tmp_path: Path, lease: Path
) -> None:
    folder = tmp_path / "papers" / "old"
    folder.mkdir(parents=True)
    (folder / "note.txt").write_text("The deposit is paid back within a month.", "utf-8")
    (folder / "photo.png").write_bytes(b"not a document")
    result = scripted(tmp_path, lease, tmp_path / "papers", lease, folder / "note.txt", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["errors"] == []
    assert result.stderr.count("Reading") == 2


def test_where_no_file_can_be_read_there_is_a_sentence_for_each_and_no_engine(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    result = scripted(tmp_path, tmp_path / "none.pdf", tmp_path / "empty.txt", "--json")
    assert (result.returncode, result.stdout) == (1, "")
    assert MISSING in result.stderr
    assert sentence_for(DocumentUnreadable("empty.txt", "empty")).text in result.stderr
    assert not (tmp_path / "engine" / "prompts.jsonl").exists()


def test_a_password_is_given(tmp_path: Path) -> None:
    path = locked(tmp_path / "secret.pdf")
    refused = scripted(tmp_path, path)
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (1, LOCKED)
    body = only_json(scripted(tmp_path, path, "--password", "sesame", "--json", answer=f"- {RENT} [1]\n"))
    assert body["claims"][0]["pages"] == [1]


def locked(path: Path) -> Path:
    """A PDF of one page that asks for a password."""
    page = Page()
    page.text(72, 100, RENT)
    return write_pdf(path, [page], lock=Lock("sesame", "owner"))


def on_a_terminal(tmp_path: Path, *paths: Path) -> Typist:
    """`summarize --json` of files, with somebody who types."""
    script = write_script(tmp_path / "engine", {"text": f"- {RENT} [1]\n"})
    arguments = ["summarize", *map(str, paths), "--json", "--model", "scripted.gguf"]
    return Typist(*arguments, environment={"FIRESIDE_ENGINE_SCRIPT": str(script)})


def test_a_file_whose_password_is_not_known_keeps_the_others_from_nothing(tmp_path: Path, lease: Path) -> None:
    with closing(on_a_terminal(tmp_path, locked(tmp_path / "secret.pdf"), lease)) as typist:
        typist.wait_for("Password: ")
        typist.type("\n")
        typist.wait_for(f'"errors": [{{"file": "secret.pdf", "reason": "{LOCKED}"}}]')
        assert typist.end() == 0


def test_where_nothing_was_found_it_is_said(tmp_path: Path, lease: Path) -> None:
    result = scripted(tmp_path, lease, "--form", "actions", answer="None.")
    assert (result.returncode, result.stdout) == (0, "No action items found in it.\n")
    assert "statement" not in result.stderr
    result = scripted(tmp_path, lease, "--json", answer="I'm sorry, I can't.")
    body = only_json(result)
    assert (list(body), body["summary"], body["claims"]) == (FIELDS, "", [])
    assert "Nothing was written about it." in result.stderr.splitlines()


def test_the_ending_of_the_output_is_its_format(tmp_path: Path, lease: Path) -> None:
    out = tmp_path / "out.docx"
    result = scripted(tmp_path, lease, "-o", out)
    assert (result.returncode, result.stdout) == (0, "")
    assert f"Saved {out}." in result.stderr
    text = read(out, tmp_path).text
    assert RENT in text
    assert NOTICE in text


def test_output_and_json_go_together(tmp_path: Path, lease: Path) -> None:
    out = tmp_path / "out.json"
    body = only_json(scripted(tmp_path, lease, "-o", out, "--json"))
    saved = json.loads(out.read_text("utf-8"))
    more = [{key: claim.pop(key) for key in ("anchors", "said", "page_says")} for claim in saved["claims"]]
    assert saved == body
    assert [[one["text"] for one in each["anchors"]] for each in more] == [[RENT], [NOTICE]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-o", "out.pdf"], NO_PDF.format(endings=ALL_ENDINGS)),
        (["-o", "out.txt"], MUST_END_IN.format(name="out.txt", endings=ALL_ENDINGS)),
        (["-o", "out"], MUST_END_IN.format(name="out", endings=ALL_ENDINGS)),
        (["-o", "/nowhere/at/all/out.md"], NO_FOLDER.format(path="/nowhere/at/all")),
        (["--form", "own"], OWN_NEEDS_INSTRUCTION),
        (["--form", "bullets", "--instruction", "As a poem"], OWN_NEEDS_INSTRUCTION),
        (["--length", "huge"], ""),
        (["--form", "poem"], ""),
        (["--language", "deutsch, bitte"], ""),
    ],
)
def test_wrong_usage_exits_2_before_anything_is_read(lease: Path, arguments: list[str], sentence: str) -> None:
    result = fireside("summarize", str(lease), *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert "Reading" not in result.stderr
    assert result.stderr.splitlines()[-1] == sentence or not sentence


def test_a_file_is_never_written_over_by_its_own_summary(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text(LEASE, "utf-8")
    result = fireside("summarize", str(path), "-o", str(tmp_path / "." / "notes.md"))
    assert (result.returncode, path.read_text("utf-8")) == (2, LEASE)
    assert result.stderr.splitlines()[-1] == IS_INPUT.format(name="notes.md")


def test_what_cannot_be_saved_is_printed(tmp_path: Path, lease: Path) -> None:
    (tmp_path / "out.md").mkdir()
    result = scripted(tmp_path, lease, "-o", tmp_path / "out.md")
    assert (result.returncode, RENT in result.stdout) == (1, True)
    assert result.stderr.splitlines()[-1] == sentence_for(FolderNotWritable(str(tmp_path))).text


def test_length_form_language_and_instruction_reach_the_model(tmp_path: Path, lease: Path) -> None:
    def asked(*arguments: str) -> str:
        scripted(tmp_path, lease, "--json", *arguments)
        request = requests(tmp_path / "engine" / "script.json")[-1]
        return json.dumps([request["messages"], request["max_tokens"], request["grammar"]])

    short = asked("--length", "short")
    assert short != asked("--length", "long")
    assert short != asked("--length", "short", "--form", "actions")
    own = asked("--language", "de", "--instruction", "As a poem")
    assert "Write in German." in own
    assert "As a poem" in own


def test_the_model_chosen_for_summaries_is_used_before_that_of_the_chat(
    tmp_path: Path, lease: Path, fresh_home: Path
) -> None:
    script = write_script(tmp_path / "engine", {"text": ANSWER})
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    settings = Settings().changed("engine", model_path="/models/chat.gguf")
    (place,) = {Path(json.loads(fireside("doctor", "--json", environment=environment).stdout)["folders"]["config"])}
    for chosen, expected in (("", "chat.gguf"), ("/models/long.gguf", "long.gguf")):
        save_settings(place / "settings.json", settings.changed("models", summarize_path=chosen))
        body = only_json(fireside("summarize", str(lease), "--json", environment=environment))
        assert body["model"] == expected


def test_every_section_is_told_with_its_number(tmp_path: Path) -> None:
    path = long_lease(tmp_path)
    point = "- Either party may end this agreement at the end of a year. [1]\n"
    result = scripted(tmp_path, path, "--json", answer=point)
    body = only_json(result)
    assert body["sections"] > 2
    assert body["coverage"]["blocks"] == body["coverage"]["blocks_read"] == 400
    told = [line for line in result.stderr.splitlines() if line.startswith("Section ")]
    assert told[0] == f"Section 1 of {body['sections']}"
    assert f"Section {body['sections']} of {body['sections']}" in told[-1]


def interrupted(script: Path, arguments: list[str], line: str) -> tuple[int, str, str]:
    """The exit code and both outputs of a command that gets Ctrl+C after a line that begins so."""
    process = warm.Process(
        command(arguments),
        cwd=ROOT,
        env=os.environ | {"FIRESIDE_ENGINE_SCRIPT": str(script)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr
        assert any(one.startswith(line) for one in process.stderr), "the line never came"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    return process.returncode, out, err


def test_ctrl_c_prints_what_is_there_and_exits_with_130(tmp_path: Path) -> None:
    path = long_lease(tmp_path)
    point = "- Either party may end this agreement at the end of a year. [1]\n"
    slow = {"text": point, "repeat": 1000, "delay_s": 0.005}
    script = write_script(tmp_path / "engine", {"when": r"Part 1 of", "text": point}, slow)
    arguments = ["summarize", str(path), "--json", "--model", "scripted.gguf"]
    code, out, err = interrupted(script, arguments, "Section 2 of")
    assert code == 130, err
    body = json.loads(out)
    assert [claim["block_ids"] for claim in body["claims"]] == [[1]]
    assert 0 < body["coverage"]["blocks_read"] < 400
    assert "Stopped before the end: 1 of" in err


def test_ctrl_c_before_anything_is_there_prints_nothing(tmp_path: Path, lease: Path) -> None:
    script = write_script(tmp_path / "engine", {"text": ANSWER, "delay_s": 60})
    arguments = ["summarize", str(lease), "--model", "scripted.gguf"]
    code, out, _ = interrupted(script, arguments, "Section 1 of 1")
    assert (code, out) == (130, "")


def test_an_engine_that_keeps_ending_is_told_in_one_sentence(tmp_path: Path, lease: Path) -> None:
    result = scripted(tmp_path, lease, crash_after=1)
    assert (result.returncode, result.stdout) == (1, "")
    assert "engine" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_no_window_library_is_loaded_and_what_keeps_the_computer_awake_only_for_summaries(
    tmp_path: Path, lease: Path
) -> None:
    script = write_script(tmp_path / "engine", {"text": ANSWER})
    program = (
        "import sys, psutil\n"
        "psutil.sensors_battery = lambda: None\n"  # with mains power, whatever this computer has
        "from app.__main__ import main\n"
        "code = main(sys.argv[1:])\n"
        "heavy = ('PySide6', 'docx', 'rouge_score', 'nltk', 'wakepy', 'rapidfuzz',"
        " 'app.features.summarize.summarize')\n"
        "print(code, [name for name in heavy if name in sys.modules], file=sys.stderr)"
    )

    def loaded(*arguments: str) -> str:
        result = subprocess.run(
            [sys.executable, "-c", program, *arguments, "--model", "scripted.gguf"],
            cwd=ROOT,
            env=os.environ | {"FIRESIDE_ENGINE_SCRIPT": str(script)},
            capture_output=True,
            text=True,
            check=True,
        )
        return result.stderr.splitlines()[-1]

    assert loaded("chat", "-p", "Hello") == "0 []"
    assert loaded("summarize", str(lease)) == "0 ['wakepy', 'rapidfuzz', 'app.features.summarize.summarize']"


def examples(tmp_path: Path, *lines: object) -> Path:
    """A data file; what is no text is written as JSON."""
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines), "utf-8")
    return path


GOOD = {"id": "lease", "document": [RENT, NOTICE, "Heating is extra.", "Water is extra."], "summary": [RENT, NOTICE]}


def test_evaluation_gives_the_figures_beside_those_of_the_first_sentences(tmp_path: Path) -> None:
    data = examples(tmp_path, GOOD, "{ broken", GOOD | {"id": "again"})
    result = scripted(tmp_path, "evaluate", "summarize", "--data", data, "--json", answer=f"{RENT} [1] {NOTICE} [2]")
    body = only_json(result)
    assert (result.returncode, body.keys()) == (0, FIGURES)
    assert (body["documents"], body["claims"], body["claims_found"]) == (2, 4, 1.0)
    assert body["rouge"] == {"rouge1": 1.0, "rouge2": 1.0, "rougeLsum": 1.0}
    assert 0.5 < body["lead3"]["rouge1"] < 1.0  # three sentences, of which the good summary has two
    assert (body["numbers"], body["numbers_right"], body["coverage"]) == (2, 1.0, 1.0)
    assert body["machine"]["cores"] == os.cpu_count()
    assert body["errors"] == [{"line": 2, "reason": NOT_JSON}]
    assert SKIPPED.format(line=2, reason=NOT_JSON) in result.stderr
    compared = body["compared"]["as_given"]
    assert list(compared) == ["documents", "first_sentences", "digest", "model"]
    assert compared["model"] == {"rouge1": 1.0, "rouge2": 1.0, "rougeL": 1.0}
    assert compared["first_sentences"]["rouge1"] == body["lead3"]["rouge1"]
    assert body["compared"]["without_abstract"] == {"documents": 0}
    assert "lease: ROUGE-1 of first sentences 0." in result.stderr
    assert ", model 1.000; claims found: 2 of 2" in result.stderr


PAPER = {
    "id": "E09-1056",
    "title": "Kilns of Uruk",
    "summary": {"challenge": "Kilns are hot .", "approach": "We fire kilns with reed .", "outcome": "Reed is enough ."},
    "sentences": {
        "abstract": ["Kilns are hot .", "We fire kilns with reed .", "Reed is enough ."],
        "introduction": ["Clay was burnt in Uruk .", "Kilns are hot and costly .", "Grain was cut ."],
        "conclusion": ["We showed that reed is enough .", "Lunch was served ."],
    },
    "highlights": {}, "heuristic_highlights": {},
}  # fmt: skip
"""A line as ACLSum has it."""


def test_a_digest_is_compared_without_a_model_and_again_without_the_abstract(tmp_path: Path) -> None:
    data = examples(tmp_path, PAPER, GOOD)
    arguments = ("evaluate", "summarize", "--data", str(data), "--method", "digest")
    result = fireside(*arguments, "--json", environment={"FIRESIDE_ENGINE_SCRIPT": "none.json"})
    body = only_json(result)
    assert (result.returncode, body.keys(), body["model"]) == (0, FIGURES, "")
    given, without = (body["compared"][part] for part in ("as_given", "without_abstract"))
    assert [list(one) for one in (given, without)] == [["documents", "first_sentences", "digest"]] * 2
    assert (given["documents"], without["documents"]) == (2, 1)
    assert given["first_sentences"]["rouge1"] > 2 * without["first_sentences"]["rouge1"]
    assert without["digest"]["rouge1"] > without["first_sentences"]["rouge1"]
    assert (body["claims"], body["claims_found"], body["machine"]["threads"]) == (6, 1.0, None)
    assert "Loading" not in result.stderr
    table = fireside(*arguments).stdout.splitlines()
    assert table[0].startswith("2 documents, ")
    assert [line for line in table if line.startswith("F1")] == [
        "F1, 2 documents as they are:", "F1, 1 document without an abstract:"
    ]  # fmt: skip


def test_a_limit_counts_documents_and_the_table_is_for_people(tmp_path: Path) -> None:
    data = examples(tmp_path, "", GOOD, GOOD, GOOD)
    result = scripted(
        tmp_path, "evaluate", "summarize", "--data", data, "--limit", "2", answer=f"{RENT} [1] {NOTICE} [2]"
    )
    lines = result.stdout.splitlines()
    assert lines[0].startswith("scripted.gguf, 2 documents, ")
    assert lines[1:3] == ["F1, 2 documents as they are:", f"{'':<16}{'ROUGE-1':>10}{'ROUGE-2':>10}{'ROUGE-L':>10}"]
    assert [line.rsplit(maxsplit=3)[0] for line in lines[3:6]] == ["first sentences", "digest", "model"]
    assert lines[5].split() == ["model", "1.0000", "1.0000", "1.0000"]
    assert "Claims found: 100.0% of 4" in lines
    assert len(requests(tmp_path / "engine" / "script.json")) == 2


def test_an_engine_that_keeps_ending_leaves_the_figures_so_far(tmp_path: Path) -> None:
    data = examples(tmp_path, GOOD, GOOD | {"document": [RENT, "A page of crashes."]}, GOOD, GOOD)
    script = write_script(
        tmp_path / "engine", {"when": "of crashes", "crash_after": 0}, {"text": f"{RENT} [1] {NOTICE} [2]"}
    )
    result = fireside(
        "evaluate", "summarize", "--data", str(data), "--model", "scripted.gguf", "--json",
        environment={"FIRESIDE_ENGINE_SCRIPT": str(script)},
    )  # fmt: skip
    body = only_json(result)
    assert (result.returncode, body["documents"], body["claims_found"]) == (0, 1, 1.0)
    assert [error["line"] for error in body["errors"]] == [2, 3]  # then it is given up
    assert "3 times in a row" in body["errors"][1]["reason"]


def test_ctrl_c_leaves_the_figures_so_far(tmp_path: Path) -> None:
    data = examples(tmp_path, GOOD, GOOD)
    answer = f"{RENT} [1] {NOTICE} [2]"
    script = write_script(tmp_path / "engine", {"text": answer, "times": 1}, {"text": answer, "delay_s": 60})
    arguments = ["evaluate", "summarize", "--data", str(data), "--json", "--model", "scripted.gguf"]
    code, out, err = interrupted(script, arguments, "Document 2 of")
    assert (code, json.loads(out)["documents"]) == (130, 1), err


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (None, sentence_for(DocumentUnreadable("data.jsonl", "missing")).text),
        ((), NO_SUMMARIES.format(name="data.jsonl")),
    ],
)
def test_data_without_documents_is_told(tmp_path: Path, lines: tuple[object, ...] | None, sentence: str) -> None:
    if lines is not None:
        examples(tmp_path, *lines)
    result = fireside("evaluate", "summarize", "--data", str(tmp_path / "data.jsonl"), "--json")
    assert (result.returncode, result.stdout, result.stderr.splitlines()[-1]) == (1, "", sentence)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["summarize"],
        ["poems"],
        ["summarize", "--data", "a", "--limit", "0"],
        ["summarize", "--data", "a", "--method", "auto"],
    ],
)
def test_wrong_usage_of_evaluate_exits_2(arguments: list[str]) -> None:
    result = fireside("evaluate", *arguments)
    assert (result.returncode, result.stdout) == (2, "")


@pytest.mark.model
def test_without_a_word_about_it_the_starter_is_not_loaded_and_sentences_are_chosen(lease: Path, starter: Path) -> None:
    result = fireside("summarize", str(lease), "--json")
    body = only_json(result)
    assert (result.returncode, list(body), body["model"], body["method"]) == (0, FIELDS, "", "digest")
    assert [claim["text"] for claim in body["claims"]] == LEASE.split("\n\n")
    assert (body["warnings"], "Loading" in result.stderr) == ([], False)
    wished = fireside(
        "summarize", str(lease), "--json", "--form", "questions", "--language", "de", "--model", str(starter)
    )
    warning = (
        "These are the document’s own sentences: not in German and not questions and answers. "
        "Use a larger model for that."
    )
    assert only_json(wished)["warnings"] == [warning]
    assert warning in wished.stderr.splitlines()
    assert USE_MODEL.format(model=starter.name) in wished.stderr.splitlines()


@pytest.mark.model
def test_the_starter_reads_every_block_and_its_claims_have_places(tmp_path: Path, lease: Path, starter: Path) -> None:
    out = tmp_path / "lease.docx"
    result = fireside("summarize", str(lease), "--length", "short", "--method", "model", "--json", "-o", str(out))
    body = only_json(result)
    assert (result.returncode, list(body), body["model"]) == (0, FIELDS, starter.name)
    assert body["claims"]
    assert all(set(claim["block_ids"]) <= {1, 2, 3} and claim["block_ids"] for claim in body["claims"])
    assert body["coverage"]["blocks_read"] == 3
    saved = read(out, tmp_path).text
    assert all(" ".join(claim["text"].split()) in saved for claim in body["claims"])
