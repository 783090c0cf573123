"""What is said without asking for anything is told from requests, in all languages of the program."""

from __future__ import annotations

import pytest

from app.language.courtesies import is_courtesy


@pytest.mark.parametrize(
    "text",
    [
        "Hi!",
        "hello there 👋",
        "Good evening to you.",
        "Thank you so much!",
        "Ok, great, bye!",
        "Thanks, that helped a lot.",
        "Hey, how are you doing?",
        "What’s up?",
        "Guten Tag zusammen",
        "Vielen Dank!",
        "Bonjour à tous !",
        "¡Hola! ¿Qué tal?",
        "Grazie mille.",
        "Olá, tudo bem?",
        "你好！",
        "谢谢",
        "مرحبا",
    ],
)
def test_greetings_thanks_and_goodbyes_are(text: str) -> None:
    assert is_courtesy(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "Great, and again",
        "Yes, please.",
        "Hi, weather in Oslo?",
        "Thanks, now open page 3",
        "Good morning, what day is it today?",
        "Say hello to Maria",
        "你好，现在几点？",
        "Hello " * 30,
    ],
)
def test_requests_and_assent_are_none(text: str) -> None:
    assert not is_courtesy(text)
