"""The language of a document, by its script or by the model, which is read without its own loader."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.language import byte_model
from app.language.byte_model import LanguageModel, most_likely
from app.language.language_detection import (
    LanguageDetector,
    language_by_words,
    language_of,
    languages_differ,
    scripts_differ,
)
from app.language.language_names import LANGUAGES

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
        code, certainty = identifier.apply_head(text)
        found, ours = most_likely(text)
        assert (found, abs(ours - certainty) < 1e-4) == (code, True)
    assert most_likely("1") == ("", 0.0)


def test_a_packed_model_says_what_the_unpacked_one_says(monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = [most_likely(TEXTS[code]) for code in ("de", "uk")]
    monkeypatch.setattr(byte_model, "UNPACKED", "languages/none.npz")
    assert most_likely(TEXTS["de"]) == mapped[0]
    assert LanguageModel().most_likely(TEXTS["uk"]) == mapped[1]


def test_the_model_takes_little_memory_and_no_numpy() -> None:
    program = (
        "import resource, sys\n"
        "from app.language.language_detection import language_of\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"assert language_of({TEXTS['de']!r}) == 'de'\n"
        "assert 'numpy' not in sys.modules\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 65_000  # kilobytes


CODES = [one.code for one in LANGUAGES]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Wo ist der nächste Bahnhof?", "de"),
        ("Where is the nearest station?", "en"),
        ("Onde fica a estação mais próxima?", "pt"),
        ("最寄りの駅はどこですか", "ja"),
        ("最近的车站在哪里？这里有问题", "zh"),
        ("最近的車站在哪裡？這裡有問題", "zh-Hant"),
        ("أين أقرب محطة قطار من هنا؟", "ar"),
        ("Где ближайшая станция метро?", "ru"),
        ("42", ""),
        ("", ""),
        ("ok", ""),
    ],
)
def test_the_language_of_a_few_words(text: str, found: str) -> None:
    assert LanguageDetector.shared().find_language(text, CODES) == found


def test_only_the_languages_of_the_model_are_found() -> None:
    assert LanguageDetector.shared().find_language("Onde fica a estação mais próxima?", ["pt-BR", "en"]) == "pt-BR"
    assert LanguageDetector.shared().find_language("最寄りの駅はどこですか", ["en", "de"]) == ""


def test_the_detector_is_shared_while_somebody_holds_it() -> None:
    first = LanguageDetector.shared()
    assert LanguageDetector.shared() is first


def test_of_two_languages_short_texts_are_told_apart() -> None:
    detector = LanguageDetector.shared()
    assert detector.is_rather("Where is the station?", "en", "de")
    assert not detector.is_rather("Wo ist der Bahnhof denn?", "en", "de")
    assert not detector.is_rather("Hotel", "en", "de"), "too short to tell"


def test_small_words_tell_the_language_of_a_sentence_without_the_model() -> None:
    assert language_by_words("The price of the flat was raised by the owner.") == "en"
    assert language_by_words("Der Preis der Wohnung wurde von dem Eigentümer erhöht.") == "de"
    assert language_by_words("Цена квартиры выросла.") == "cyrillic"
    assert language_by_words("Kaufvertrag 2024") == ""


def test_two_texts_differ_where_both_languages_are_known_or_the_letters_are_others() -> None:
    english, german = "The price of the flat was raised.", "Der Preis der Wohnung wurde von dem Eigentümer erhöht."
    assert languages_differ(english, german)
    assert not languages_differ(english, "Kaufvertrag 2024")
    assert scripts_differ("Price", "Цена")
    assert not scripts_differ("12 %", "Цена")
