"""`translate` and `evaluate translate` in the terminal, as processes with the scripted engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from docx import Document

from app.cli.terminal import MUST_END_IN, NO_FOLDER
from app.cli.translate import ALREADY_IN, IS_SOURCE, NOT_MADE_FOR, NOT_REUSABLE, NOT_TRANSLATED, SET_LANGUAGE, TEXT_ONLY
from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.exchange_errors import NotAligned
from app.features.error_messages import sentence_for
from tests.helpers import warm
from tests.helpers.documents import pdf_pages, shown
from tests.helpers.script import requests, write_script
from tests.helpers.terminal import ROOT, command, fireside, only_json
from tests.helpers.texts import start_of

FIELDS = ["source_language", "target_language", "segments", "flagged", "reused", "seconds", "model", "errors"]
RENT, MIETE = "The rent of the flat is 960 euros.", "Die Miete der Wohnung beträgt 960 Euro."
NOTICE, KUENDIGUNG = "Notice is given three months before the end.", "Gekündigt wird drei Monate vor dem Ende."
WATER, WASSER = "Heating and water are paid by the tenant.", "Heizung und Wasser zahlt der Mieter."
PAIRS = {RENT: MIETE, NOTICE: KUENDIGUNG, WATER: WASSER}
ANSWERS = [{"when": source[:20], "text": target} for source, target in reversed(PAIRS.items())]
"""The last one first: a prompt may tell what stands in front of its text."""
MODEL = "hy-mt2-scripted.gguf"


@pytest.fixture
def lease(tmp_path: Path) -> Path:
    path = tmp_path / "lease.txt"
    path.write_text("\n\n".join(PAIRS) + "\n", "utf-8")
    return path


def script_in(tmp_path: Path, *first: dict[str, Any]) -> Path:
    return write_script(tmp_path / "engine", *first, *ANSWERS)


def translated(
    tmp_path: Path,
    *arguments: object,
    text: str | None = None,
    model: str = MODEL,
    rules: tuple[dict[str, Any], ...] = (),
) -> subprocess.CompletedProcess[str]:
    """`translate`, or what the first argument says, with an engine that knows three sentences."""
    words = [str(one) for one in arguments]
    if words[:1] != ["evaluate"]:
        words.insert(0, "translate")
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script_in(tmp_path, *rules))}
    return fireside(*words, "--model", model, text=text, environment=environment)


def asked(tmp_path: Path) -> int:
    return len(requests(tmp_path / "engine" / "script.json"))


def test_json_is_one_object_with_the_fixed_fields(tmp_path: Path, lease: Path) -> None:
    result = translated(tmp_path, "--to", "de", "--from", "en", lease, "--json")
    body = only_json(result)
    assert (result.returncode, list(body)) == (0, FIELDS)
    assert body["segments"] == [
        {"id": number, "source": source, "target": target, "flags": []}
        for number, (source, target) in enumerate(PAIRS.items(), 1)
    ]
    assert (body["source_language"], body["target_language"], body["model"]) == ("en", "de", MODEL)
    assert (body["flagged"], body["reused"], body["errors"]) == ([], 0, [])
    assert body["seconds"] > 0


def test_text_on_standard_input_is_translated_with_its_own_white_space(tmp_path: Path) -> None:
    result = translated(tmp_path, "--to", "de", "--from", "en", "-", text=f"{RENT}\n\n\n  {NOTICE}\n")
    assert (result.returncode, result.stdout) == (0, f"{MIETE}\n\n\n  {KUENDIGUNG}\n")
    assert result.stderr.splitlines()[0] == f"Loading {MODEL}"


def test_without_an_output_the_text_of_a_document_is_printed(tmp_path: Path, lease: Path) -> None:
    result = translated(tmp_path, "--to", "de", lease)
    assert (result.returncode, result.stdout) == (0, f"{MIETE}\n\n{KUENDIGUNG}\n\n{WASSER}\n")


def test_text_is_saved_under_any_name_and_stays_where_it_is_not_translated(tmp_path: Path) -> None:
    out = tmp_path / "letter.eml"
    result = translated(tmp_path, "--to", "de", "--from", "en", "-", "-o", out, text=f"{RENT}\n 12.50 \n{NOTICE}\n")
    assert (result.returncode, result.stdout) == (0, "")
    assert out.read_text("utf-8") == f"{MIETE}\n 12.50 \n{KUENDIGUNG}\n"
    assert result.stderr.splitlines()[-1] == f"Saved {out}."


def test_the_text_of_a_document_that_is_not_written_back_is_printed_block_by_block(tmp_path: Path) -> None:
    path = tmp_path / "lease.pdf"
    path.write_bytes(pdf_pages([shown(RENT), shown(NOTICE)]))
    result = translated(tmp_path, "--to", "de", "--from", "en", path)
    assert (result.returncode, result.stdout) == (0, f"{MIETE}\n\n{KUENDIGUNG}\n")


def test_the_language_of_the_source_is_found(tmp_path: Path, lease: Path) -> None:
    assert only_json(translated(tmp_path, "--to", "de", lease, "--json"))["source_language"] == "en"


def test_a_document_is_saved_in_its_own_format(tmp_path: Path) -> None:
    path, out, made = tmp_path / "lease.docx", tmp_path / "Mietvertrag.docx", Document()
    made.add_heading(RENT, 1)
    made.add_paragraph(NOTICE)
    made.save(str(path))
    result = translated(tmp_path, "--to", "de", "--from", "en", path, "-o", out)
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.splitlines()[-1] == f"Saved {out}."
    paragraphs = Document(str(out)).paragraphs
    assert [(one.text, one.style.name) for one in paragraphs] == [(MIETE, "Heading 1"), (KUENDIGUNG, "Normal")]


def test_a_pdf_becomes_a_new_document_and_that_is_said(tmp_path: Path) -> None:
    path, out = tmp_path / "lease.pdf", tmp_path / "out.docx"
    path.write_bytes(pdf_pages([shown(RENT), shown(NOTICE)]))
    wrong = translated(tmp_path, "--to", "de", "--from", "en", path, "-o", tmp_path / "out.pdf")
    assert (wrong.returncode, wrong.stderr.splitlines()[-1]) == (
        2,
        MUST_END_IN.format(name="out.pdf", endings=".docx, .html"),
    )
    result = translated(tmp_path, "--to", "de", "--from", "en", path, "-o", out)
    assert result.returncode == 0
    assert TEXT_ONLY in result.stderr
    assert [one.text for one in Document(str(out)).paragraphs] == ["p. 1", MIETE, "p. 2", KUENDIGUNG]


def test_a_second_run_asks_nothing_and_says_what_it_reused(tmp_path: Path, lease: Path) -> None:
    arguments = ("--to", "de", "--from", "en", lease, "--json")
    assert only_json(translated(tmp_path, *arguments))["reused"] == 0
    before = asked(tmp_path)
    body = only_json(translated(tmp_path, *arguments))
    assert (body["reused"], asked(tmp_path)) == (3, before)
    assert [one["target"] for one in body["segments"]] == list(PAIRS.values())


def test_what_is_interrupted_is_given_and_the_next_run_goes_on_where_it_was(tmp_path: Path, lease: Path) -> None:
    script = script_in(tmp_path, {"when": "Heating", "text": WASSER, "delay_s": 5, "times": 1})
    arguments = ["translate", "--to", "de", "--from", "en", str(lease), "--json", "--model", MODEL]
    environment = os.environ | {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    with warm.Process(
        command(arguments), cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    ) as program:  # fmt: skip
        assert program.stderr is not None
        while "Translating 1 of 3" not in (line := program.stderr.readline()):
            assert line, "it ended too early"
        while asked(tmp_path) < 3:
            assert program.poll() is None
        program.send_signal(signal.SIGINT)
        out, told = program.communicate(timeout=60)
    body = json.loads(out)
    assert program.returncode == 130
    assert [one["target"] for one in body["segments"]] == [MIETE, KUENDIGUNG, None]
    assert NOT_TRANSLATED.format(open=1, count=3) in told
    again = only_json(fireside(*arguments, environment={"FIRESIDE_ENGINE_SCRIPT": str(script)}))
    assert (again["reused"], [one["target"] for one in again["segments"]]) == (2, list(PAIRS.values()))
    assert asked(tmp_path) == 4


def test_a_data_folder_that_cannot_be_used_costs_the_memory_only(tmp_path: Path, lease: Path, fresh_home: Path) -> None:
    fresh_home.mkdir()
    (fresh_home / "data").write_text("a file")
    result = translated(tmp_path, "--to", "de", "--from", "en", lease)
    assert (result.returncode, result.stdout) == (0, f"{MIETE}\n\n{KUENDIGUNG}\n\n{WASSER}\n")
    assert NOT_REUSABLE in result.stderr


def test_a_model_that_does_not_know_the_language_is_told_and_goes_on(tmp_path: Path, lease: Path) -> None:
    result = translated(tmp_path, "--to", "de", "--from", "en", lease, "--json", model="smollm2-135m.gguf")
    assert result.returncode == 0
    assert NOT_MADE_FOR.format(model="smollm2-135m.gguf", languages="German") in result.stderr
    assert only_json(result)["model"] == "smollm2-135m.gguf"
    assert "German" not in translated(tmp_path, "--to", "de", lease).stderr


def test_a_document_that_is_in_the_language_already_is_told(tmp_path: Path, lease: Path) -> None:
    """What was only found may be wrong, and goes on; what the person says is taken at their word."""
    found = translated(tmp_path, "--to", "en", lease)
    assert found.returncode == 0
    assert f"{ALREADY_IN.format(name=lease.name, language='English')} {SET_LANGUAGE}" in found.stderr
    said = translated(tmp_path, "--to", "en", "--from", "en", lease)
    assert (said.returncode, said.stdout) == (2, "")
    assert "--from" not in said.stderr


def test_flagged_segments_are_listed_with_their_reason(tmp_path: Path, lease: Path) -> None:
    same = {"when": "Heating", "text": WATER}
    result = translated(tmp_path, "--to", "de", "--from", "en", lease, "--json", rules=(same,))
    body = only_json(result)
    assert body["flagged"] == [3]
    assert set(body["segments"][2]["flags"]) & {"untranslated", "same", "language"}
    assert any(line.startswith("Segment 3: ") for line in result.stderr.splitlines())


def test_how_many_segments_may_be_wrong_is_said_beside_the_saved_file(tmp_path: Path, lease: Path) -> None:
    four = {"when": "Notice", "text": KUENDIGUNG.replace("drei", "vier")}
    result = translated(tmp_path, "--to", "de", "--from", "en", lease, "-o", tmp_path / "out.txt", rules=(four,))
    lines = result.stderr.splitlines()
    assert "Segment 2: “three” seems to be missing." in lines
    assert lines[-2] == "Please check 1 of 3 segments: they may be wrong."


def test_a_glossary_and_the_form_of_address_reach_the_model(tmp_path: Path, lease: Path) -> None:
    glossary = tmp_path / "terms.csv"
    glossary.write_text("tenant,Mieter\nparrot,Papagei\n", "utf-8")
    result = translated(
        tmp_path, "--to", "de", "--from", "en", "--glossary", glossary, "--formality", "formal", lease, "--json"
    )
    assert result.returncode == 0
    prompts = [str(one["messages"]) for one in requests(tmp_path / "engine" / "script.json")]
    assert any("Mieter" in one for one in prompts)
    assert not any("Papagei" in one for one in prompts), "only terms that stand in the text"
    for name, reason in (("none.csv", sentence_for(DocumentUnreadable("none.csv", "missing")).text), (".", "")):
        wrong = translated(tmp_path, "--to", "de", "--glossary", tmp_path / name, lease)
        assert wrong.returncode == 1
        assert reason in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lease.txt"], "--to"),
        (["--to", "klingon", "lease.txt"], "must be the code of a language"),
        (["--to", "de", "--formality", "rude", "lease.txt"], "invalid choice"),
        (["--to", "de", "lease.txt", "-o", "out.docx"], MUST_END_IN.format(name="out.docx", endings=".txt")),
        (["--to", "de", "lease.txt", "-o", "none/out.txt"], start_of(NO_FOLDER)),
        (["--to", "de", "lease.txt", "-o", "lease.txt"], IS_SOURCE.format(name="lease.txt")),
    ],
)
def test_wrong_usage_is_told_before_a_model_is_loaded(
    tmp_path: Path, lease: Path, arguments: list[str], said: str
) -> None:
    named = [str(tmp_path / one) if one.endswith(".txt") or "out" in one else one for one in arguments]
    result = translated(tmp_path, *named)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Loading" not in result.stderr


def test_a_file_that_is_not_there_or_has_no_text_fails(tmp_path: Path) -> None:
    (tmp_path / "blank.txt").write_text("\n \n")
    for name in ("none.txt", "blank.txt"):
        result = translated(tmp_path, "--to", "de", tmp_path / name)
        assert (result.returncode, result.stdout) == (1, "")
        assert name in result.stderr
    assert translated(tmp_path, "--to", "de", "-", text=" \n").returncode == 1


EVALUATED = {
    "model", "source_language", "target_language", "segments", "translated", "chrf", "chrf_of_source", "flagged",
    "flags", "untranslated", "seconds", "segments_per_second", "machine",
}  # fmt: skip


def references(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "reference.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def sources(tmp_path: Path) -> Path:
    path = tmp_path / "source.txt"
    path.write_text("\n".join(PAIRS) + "\n", "utf-8")
    return path


def test_a_translation_is_measured_beside_a_good_one_and_beside_the_source(tmp_path: Path) -> None:
    arguments = ("evaluate", "translate", "--source", sources(tmp_path), "--to", "de", "--from", "en", "--json")
    good = translated(tmp_path, *arguments, "--reference", references(tmp_path, *PAIRS.values()))
    body = only_json(good)
    assert (good.returncode, set(body)) == (0, EVALUATED)
    assert (body["chrf"], body["translated"], body["flagged"], body["untranslated"]) == (100.0, 3, 0, 0)
    assert 5 < body["chrf_of_source"] < 50
    assert (body["segments"], body["flags"]) == (3, {})
    before = asked(tmp_path)
    other = translated(tmp_path, *arguments, "--reference", references(tmp_path, MIETE, "Xyz.", "Qwv."))
    assert 20 < only_json(other)["chrf"] < 90
    assert asked(tmp_path) == before + 3, "what an earlier evaluation translated says nothing of the time"


def test_the_figures_are_told_in_words(tmp_path: Path) -> None:
    result = translated(
        tmp_path, "evaluate", "translate", "--source", sources(tmp_path), "--to", "de", "--from", "en",
        "--reference", references(tmp_path, *PAIRS.values()),
    )  # fmt: skip
    assert result.returncode == 0
    first, *rest = result.stdout.splitlines()
    assert first.startswith(f"{MODEL}, en to de, ")
    assert rest[:2] == ["Segments: 3 of 3", "chrF of the translation: 100.00"]
    assert "Flagged: 0; not translated: 0" in rest


def test_two_documents_of_the_same_structure_are_compared_segment_by_segment(tmp_path: Path) -> None:
    for name, texts in (("source.html", PAIRS), ("reference.html", PAIRS.values())):
        (tmp_path / name).write_text("".join(f"<p>{text}</p>" for text in texts), "utf-8")
    arguments = ("evaluate", "translate", "--source", tmp_path / "source.html", "--to", "de", "--json")
    body = only_json(translated(tmp_path, *arguments, "--reference", tmp_path / "reference.html"))
    assert (body["chrf"], body["source_language"]) == (100.0, "en")


@pytest.mark.parametrize("ending", [".txt", ".html"])
def test_texts_that_do_not_have_as_many_parts_are_refused(tmp_path: Path, ending: str) -> None:
    for name, texts in (("source", list(PAIRS)), ("reference", [MIETE])):
        lines = [f"<p>{text}</p>" if ending == ".html" else text for text in texts]
        (tmp_path / f"{name}{ending}").write_text("\n".join(lines), "utf-8")
    arguments = ("evaluate", "translate", "--source", tmp_path / f"source{ending}", "--to", "de")
    result = translated(tmp_path, *arguments, "--reference", tmp_path / f"reference{ending}")
    assert (result.returncode, result.stdout) == (1, "")
    error = NotAligned(f"source{ending}", f"reference{ending}", 3, 1)
    assert sentence_for(error).text in result.stderr
    assert asked(tmp_path) == 0


def test_files_to_compare_that_are_not_there_are_told(tmp_path: Path) -> None:
    result = translated(
        tmp_path, "evaluate", "translate", "--source", tmp_path / "none.txt", "--to", "de",
        "--reference", references(tmp_path, MIETE),
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (1, "")
    assert "none.txt" in result.stderr
