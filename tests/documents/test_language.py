"""The language of a document, by its script or by the model, which is read without its own loader."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.documents.blocks import Kind, Piece
from app.documents.language import Sample, language_of
from app.language.language_model import most_likely

TEXTS = {
    "de": "Der Vertrag kann von beiden Seiten mit einer Frist von drei Monaten zum Jahresende gekündigt werden.",
    "en": "Either party may end this agreement at the end of a year by giving notice three months before.",
    "fr": "Chaque partie peut mettre fin au contrat à la fin de l'année avec un préavis de trois mois.",
    "es": "Cualquiera de las partes puede terminar el contrato al final del año con tres meses de aviso.",
    "ru": "Каждая из сторон может расторгнуть договор в конце года, уведомив об этом за три месяца.",
    "uk": "Кожна зі сторін може розірвати договір наприкінці року, повідомивши про це за три місяці.",
    "ar": "يجوز لأي من الطرفين إنهاء العقد في نهاية السنة بإشعار قبل ثلاثة أشهر.",
    "hi": "कोई भी पक्ष तीन महीने पहले सूचना देकर वर्ष के अंत में इस अनुबंध को समाप्त कर सकता है।",
    "zh": "任何一方均可提前三个月通知对方，在年底终止本合同。",
    "ja": "いずれの当事者も、三か月前に通知することにより、年末に本契約を終了することができる。",
    "ko": "당사자는 세 달 전에 통지하여 연말에 이 계약을 종료할 수 있다.",
    "el": "Κάθε μέρος μπορεί να λύσει τη σύμβαση στο τέλος του έτους.",
    "th": "คู่สัญญาฝ่ายใดฝ่ายหนึ่งอาจบอกเลิกสัญญาได้เมื่อสิ้นปี",
    "he": "כל צד רשאי לסיים את החוזה בסוף השנה.",
}


@pytest.mark.parametrize("code", TEXTS)
def test_the_language_of_a_sentence_is_found(code: str) -> None:
    assert language_of(TEXTS[code]) == code


@pytest.mark.parametrize("text", ["", "Hi", "1234 5678 90 " * 50, "!? … " * 100, "Total: 12"])
def test_too_little_text_has_no_language(text: str) -> None:
    assert language_of(text) == ""


def test_a_few_letters_of_a_script_with_one_language_are_enough() -> None:
    assert [language_of("안녕하세요 여러분"), language_of("合同终止通知"), language_of("お知らせです")] == [
        "ko",
        "zh",
        "ja",
    ]


def test_english_among_chinese_does_not_outweigh_it() -> None:
    assert language_of(TEXTS["zh"] * 3 + " GPU PDF") == "zh"


@pytest.mark.slow
def test_the_streamed_model_says_what_its_own_loader_says() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    for text in [*TEXTS.values(), "EIN TEXT IN GROSSBUCHSTABEN", "Ovo je srpski tekst u latinici", "ß" * 500]:
        code, certainty = identifier.classify(text)
        found, ours = most_likely(text)
        assert (found, abs(ours - certainty) < 1e-4) == (code, True)
    assert most_likely("1") == ("", 0.0)


def test_the_model_takes_little_memory_and_no_numpy() -> None:
    program = (
        "import resource, sys\n"
        "from app.documents.language import language_of\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"assert language_of({TEXTS['de']!r}) == 'de'\n"
        "assert 'numpy' not in sys.modules\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 65_000  # kilobytes


def test_the_sample_is_short_and_reaches_into_the_document() -> None:
    sample = Sample()
    for number in range(10_000):
        sample.add(Piece(Kind.PARAGRAPH, f"paragraph {number} " * 10))
    assert len(sample.text) <= 2500
    assert "paragraph 0 " in sample.text
    numbers = [int(word) for word in sample.text.split() if word.isdigit()]
    assert max(numbers) > 5000
    assert any(1000 < number < 5000 for number in numbers)


def test_code_is_not_in_the_sample() -> None:
    sample = Sample()
    sample.add(Piece(Kind.CODE, "def main(arguments): return function(arguments)" * 20))
    assert sample.language() == ""
    sample.add(Piece(Kind.PARAGRAPH, TEXTS["fr"]))
    assert sample.language() == "fr"
