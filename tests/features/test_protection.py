"""What a person is told of the cages of the program's processes."""

from __future__ import annotations

import ast
from pathlib import Path

import app
from app.core.cage_report import CageReport, CageWall
from app.features.error_messages import silence_sentence
from app.features.protection import PROCESSES, protection_sentences


def test_what_holds_and_what_does_not_is_told_of_each_process() -> None:
    reports = {
        "engine": CageReport(tuple(CageWall), ()),
        "document": CageReport((CageWall.NETWORK,), (CageWall.FILES, CageWall.WRITING)),
    }
    assert protection_sentences(reports) == [
        "The model’s process can’t reach the network, open your files, change anything of yours or start programs.",
        "The process that reads documents can’t reach the network. "
        "It could open your files or change anything of yours: this system can’t prevent it.",
        "The process that downloads models is checked when it starts.",
        "The process that lends memory is checked when it starts.",
        "The process that records sound is checked when it starts.",
        "The process that reads aloud is checked when it starts.",
    ]


def test_all_processes_whose_silence_means_something_have_words_for_it() -> None:
    calls = [
        {keyword.arg: keyword.value for keyword in node.keywords}
        for path in Path(app.__path__[0]).rglob("*.py")
        if "Child(" in (code := path.read_text("utf-8"))
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Child"
    ]
    # Without beats it is another program, which is never found silent.
    works = {ast.literal_eval(call["work"]) for call in calls if "work" in call and "beats" not in call}
    assert works == set(PROCESSES)
    for work in works:
        assert silence_sentence(work, "").text
