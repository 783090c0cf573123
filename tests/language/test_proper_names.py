"""Names are looked for word by word; what only looks like a name is left alone."""

from __future__ import annotations

import pytest

from app.language.proper_names import missing_name

TEXT = (
    "Ingrid Solheim led the port of Lindvik. The crane of Brenner & Falk uses the GPT-4 model and named entity "
    "recognition (NER). Ships of the European Union call at Quay 7; F 1 scores rose. Iwanow's reports were read."
)
GERMAN = (
    "Die Leitung des Hafens hat Herr Müller im Frühjahr übernommen. Der Vertrag mit der Stadt wurde von den Parteien "
    "verlängert, und die Gebühren für die Schiffe sind nicht erhöht worden."
)
RUSSIAN = "Отчёт подготовил Иванов, директор порта в Линдвике, и он был принят советом."


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("The port was led by Solheim.", TEXT),
        ("The port was led by Ingrid Solheim's office in Lindvik.", TEXT),
        ("They use GPT4 and gpt-4 with an F1 score.", TEXT),
        ("The model does Named Entity Recognition.", "The model does NER."),
        ("The model does NER.", "The model does named entity recognition."),
        ("Ships of the EU call.", TEXT),
        ("Existing methods were read.", TEXT),
        ("Yesterday ships called at Quay 7.", TEXT),
        ("The crane is by Brenner & Falk.", TEXT),
        ("The reports of Iwanow were read.", TEXT),
        ("Der Hafenvorsteher Müllers senkte die Abgaben.", GERMAN),
        ("Die alten Hafengebühren und das Liegegeld gelten für Schiffseigner aus 12 Ländern.", GERMAN),
        ("Langfristige Verträge mit Gesellschaften im Ausland wurden verlängert.", GERMAN),
        ("Der GPS-Empfänger und die Kransteuerung wurden geprüft.", "Ein GPS und die Steuerung wurden geprüft."),
        ("Verlängerung und Erhöhung wurden beschlossen.", GERMAN),
        ("Совет принял отчёт Иванова о Линдвике.", RUSSIAN),
        ("ALL SHIPS CALLED AT THE QUAY WITHOUT DELAY", TEXT),
        ("这是一个使用GPT4的模型。", "模型使用GPT-4。"),
    ],
)
def test_a_name_is_found_with_another_ending_or_written_out(statement: str, text: str) -> None:
    assert missing_name(statement, [text]) is None


@pytest.mark.parametrize(
    ("statement", "text", "said", "page_says"),
    [
        ("The port was led by Solberg.", TEXT, "Solberg", ""),
        ("The port was led by Ingrid Solberg.", TEXT, "Ingrid Solberg", "Ingrid Solheim"),
        ("They use the GPT-5 model.", TEXT, "GPT-5", "GPT-4"),
        ("The score is F2.", TEXT, "F2", ""),
        ("Ships call at the port of Marie.", "Ships call at the port of Maria.", "Marie", "Maria"),
        ("Ships of NATO call.", TEXT, "NATO", "European Union"),
        ("Im Frühjahr kam Herr Schmidt.", GERMAN, "Schmidt", ""),
        ("Im Frühjahr eröffnete Schmidt den Hafen.", GERMAN, "Schmidt", ""),
        ("Der Vertrag wurde von Lindvik verlängert.", GERMAN, "Lindvik", ""),
        ("Die Schiffe fahren nach Orlanda und zurück.", GERMAN, "Orlanda", ""),
        ("Die Stadt Zarnow hat die Gebühren erhöht.", GERMAN, "Zarnow", ""),
        ("Der AIS-Empfänger der Schiffe wurde geprüft.", GERMAN, "AIS", ""),
        ("Совет принял отчёт директора Петрова.", RUSSIAN, "Петрова", ""),
        ("这是一个使用GPT5的模型。", "模型使用GPT-4。", "GPT5", ""),
    ],
)
def test_a_name_that_is_not_there_is_seen(statement: str, text: str, said: str, page_says: str) -> None:
    missing = missing_name(statement, [text])
    assert missing is not None
    assert missing.said == said
    assert missing.page_says in (page_says, "")
    assert bool(missing.page_says) == bool(page_says)
