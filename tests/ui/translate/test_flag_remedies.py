"""A glossary's term in the place of the words that it takes the place of."""

from __future__ import annotations

import pytest

from app.documents.segments import Content, Mark
from app.features.translate.glossary import with_term

BOLD, END = Mark("open", 1, "bold"), Mark("close", 1)


@pytest.mark.parametrize(
    ("content", "wanted", "expected"),
    [
        (("O atraso rende juros de 1 % ao mês.",), "juros de mora", ("O atraso rende juros de mora de 1 % ao mês.",)),
        (("O ", BOLD, "juro", END, " vence."), "juros de mora", ("O ", BOLD, "juros de mora", END, " vence.")),
        (("Juros são devidos.",), "juros de mora", ("Juros de mora são devidos.",)),
        (("Der Mietvertrag gilt.",), "Mietverträge", ("Der Mietverträge gilt.",)),
        (("La locação comercial.",), "contrato de locacao", ("La contrato de locacao comercial.",)),
    ],
)
def test_a_part_or_another_form_of_the_term_becomes_the_term(content: Content, wanted: str, expected: Content) -> None:
    assert with_term(content, wanted) == expected


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("O atraso rende encargos.", "juros de mora"),
        ("Juros e mais juros.", "juros de mora"),
        ("O fim de um mês.", "ato de fé"),
    ],
)
def test_where_its_place_is_not_plain_a_person_says_it(text: str, wanted: str) -> None:
    assert with_term((text,), wanted) is None
