"""The arithmetic of the benchmarks, and what they start and end; the measuring itself is `make bench`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.program import is_gone

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@pytest.fixture(autouse=True)
def benchmarks_are_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """They import each other as run.py lets them."""
    for folder in (HERE, ROOT / "packaging" / "setup"):
        monkeypatch.syspath_prepend(str(folder))


def test_ways_take_turns_and_every_second_round_begins_at_the_other_end() -> None:
    from comparing import in_turns

    called: list[str] = []

    def way(name: str) -> object:
        return lambda number: called.append(name) or f"{name}{number}"  # type: ignore[func-returns-value]

    results = in_turns([way("a"), way("b"), way("c")], 2)  # type: ignore[list-item]
    assert "".join(called) == "abccba"
    assert results == [["a0", "a1"], ["b0", "b1"], ["c0", "c1"]]


def test_the_ratio_is_the_median_of_the_rounds_so_that_a_slow_moment_counts_on_both_sides() -> None:
    from comparing import compared

    row = compared("decoding", [100.0, 50.0, 100.0], [100.0, 50.0, 50.0], "tokens/s", at_least=1.0)
    assert (row.value, row.baseline, row.ratio, row.met) == (100.0, 50.0, 1.0, True)


@pytest.mark.parametrize(
    ("limits", "met"),
    [
        ({}, None),
        ({"at_least": 0.5}, True),
        ({"at_least": 0.51}, False),
        ({"at_most": 0.5}, True),
        ({"at_most": 0.49}, False),
    ],
)
def test_a_row_says_whether_its_ratio_is_as_it_should_be(limits: dict[str, float], met: bool | None) -> None:
    from run import Row

    assert Row("name", 1.0, "s", 2.0, **limits).met is met


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    from comparing import percentile

    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_speed_together_is_taken_while_as_many_as_ever_write() -> None:
    from sequences_bench import Moment, while_most_write

    moments = [
        Moment(0.0, 0),
        Moment(1.0, 0),
        Moment(2.0, 1),  # from here on two write
        Moment(3.0, 0),
        Moment(3.5, 1),
        Moment(4.0, 0, ended=True),  # one is left
        Moment(9.0, 1),
        Moment(9.5, 2),  # another joins: two again
        Moment(10.0, 1),
        Moment(10.5, 1, ended=True),
        Moment(11.0, 2, ended=True),
    ]
    assert while_most_write(moments) == (3, 3.0, 2)


def test_a_stream_of_events_ends_at_its_mark() -> None:
    from llama_server import events

    lines = [b'data: {"a": 1}\n', b"\n", b": ping\n", b'data: {"b": 2}\n', b"\n", b"data: [DONE]\n", b"data: {}\n"]
    assert list(events(iter(lines))) == [{"a": 1}, {"b": 2}]


def test_prose_is_the_same_in_every_run_and_another_for_every_seed() -> None:
    from texts import prose

    assert prose(400, 7) == prose(400, 7)
    assert prose(400, 7)[:20] != prose(400, 8)[:20]
    assert 300 < len(prose(400, 7).split()) < 400


def test_builds_are_kept_apart_by_their_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from llama_build import DEFAULT, OWN_THREADS

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert DEFAULT.folder() == DEFAULT.folder()
    assert DEFAULT.folder() != OWN_THREADS.folder()
    assert DEFAULT.folder().parent == tmp_path / "fireside" / "comparison"


def test_busy_processes_are_gone_afterwards() -> None:
    from busy import busy_processes

    def children() -> set[int]:
        found = Path("/proc/self/task").glob("*/children")
        return {int(pid) for file in found for pid in file.read_text().split()}

    before = children()
    with busy_processes(2):
        spinning = children() - before
        assert len(spinning) == 2
    assert all(is_gone(pid) for pid in spinning)


def test_every_row_is_one_line_of_json_and_a_failure_does_not_stop_the_others(tmp_path: Path) -> None:
    write_bench(tmp_path, "first", 'raise OSError("no model")')
    write_bench(tmp_path, "second", 'yield Row("speed", 2.0, "s", 4.0, at_most=0.4)')
    done = run_benchmarks(tmp_path)
    (line,) = done.stdout.splitlines()
    assert json.loads(line).items() >= {"name": "speed", "ratio": 0.5, "met": False}.items()
    assert "first_bench failed: OSError: no model" in done.stderr
    assert "Not as it should be: speed: 0.5" in done.stderr
    assert done.returncode == 1


def test_a_benchmark_of_a_question_asked_once_runs_only_when_it_is_named(tmp_path: Path) -> None:
    write_bench(tmp_path, "once", 'yield Row("answer", 1.0, "s")', "BY_NAME_ONLY = True")
    assert run_benchmarks(tmp_path).stdout == ""
    assert json.loads(run_benchmarks(tmp_path, "once").stdout)["name"] == "answer"


def write_bench(folder: Path, name: str, body: str, beside: str = "") -> None:
    text = f"from run import Row\n{beside}\ndef rows():\n    {body}\n    yield from ()\n"
    (folder / f"{name}_bench.py").write_text(text, "utf-8")


def run_benchmarks(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """run.py as it is, beside other benchmarks than ours."""
    text = (HERE / "run.py").read_text("utf-8")
    (folder / "run.py").write_text(re.sub(r"^ROOT = .*$", f"ROOT = Path({str(ROOT)!r})", text, flags=re.M), "utf-8")
    return subprocess.run(
        [sys.executable, str(folder / "run.py"), *names],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_papers_of_a_long_document_end_where_it_is_long_enough() -> None:
    from papers import Paper, Section, cut

    def paper(name: str, *paragraphs: str) -> Paper:
        return Paper(name, name, (Section("1 Beginning", paragraphs[:1]), Section("2 End", paragraphs[1:])), "")

    two = [paper("first", "one two", "three"), paper("second", "four", "five six", "seven")]
    kept = cut(two, 5, lambda text: len(text.split()))
    assert [text for one in kept for section in one.sections for text in section.paragraphs] == [
        "one two",
        "three",
        "four",
        "five six",
    ]
    with pytest.raises(ValueError, match="2 papers are 3 too small"):
        cut(two, 10, lambda text: len(text.split()))


def test_a_paper_is_a_real_file_that_the_reading_child_and_the_places_of_its_words_agree_on(tmp_path: Path) -> None:
    from papers import Paper, Section, write_papers
    from recorded import document_of
    from summarize_bench import stands_in
    from texts import prose

    text = tuple(prose(40, number) for number in range(120))
    sections = (Section("1 Ships", text[:60]), Section("1.1 Boats", text[60:]))
    document = document_of(write_papers(tmp_path / "paper.pdf", [Paper("p", "Harbours", sections, "")]), tmp_path)
    assert (document.title, document.unit, document.language) == ("Harbours", "page", "en")
    assert document.pages > 2
    words = " ".join(" ".join(block.text for block in document.blocks).split())
    assert [sentence for sentence in text if sentence not in words] == []
    whole = " ".join(block.text for block in document.blocks)
    assert all(stands_in(" ".join(whole.split()), block) for block in document.blocks)
    without = " ".join(block.text for block in document.blocks if block.id != 5)
    assert [block.id for block in document.blocks if not stands_in(without, block)] == [5]


def test_words_are_found_on_their_page_and_across_its_end_but_on_no_other() -> None:
    from summarize_bench import stands_on

    pages = ["The har-\nbour is old. It has\n1\n", "many ships. The end.\n2\n", "The harbour is old."]
    assert stands_on(pages, 1, "The harbour is old.")
    assert stands_on(pages, 1, "It has many ships.")
    assert not stands_on(pages, 2, "The harbour is old.")
    assert not stands_on(pages, 1, "It has many boats.")
    assert not stands_on(pages, 1, "")
    assert not stands_on(pages, None, "The harbour is old.")
    assert not stands_on(pages, 4, "The harbour is old.")


def test_what_is_asked_of_the_other_engine_is_what_ours_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    import book_bench

    from app.core.gguf import GgufHeader
    from app.engine.protocol import Ask, Sampling

    names = {"general.architecture": "llama", "general.name": "SmolLM2 135M Instruct"}
    monkeypatch.setattr(book_bench, "starter", lambda: Path("model.gguf"))
    monkeypatch.setattr(book_bench, "check_model", lambda path: GgufHeader(3, names, (), 0))
    asked = Ask([], task_sampling=Sampling(temperature=0.2, top_p=0.9, seed=7))
    fields = book_bench.sampling_of(asked)
    assert fields.items() >= {"temperature": 0.2, "top_p": 0.9, "seed": 7, "repeat_penalty": 1.1}.items()
