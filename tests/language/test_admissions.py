"""What a sentence says of a text: that it does not tell; other denials are statements."""

from __future__ import annotations

import pytest

from app.language.admissions import admits_absence

ADMISSIONS = """
The document does not mention the name of the chairman's dog.
There is no information about the opening hours in the provided text.
I'm sorry, but I couldn't find that in the passages.
I don't know.
The provided excerpt doesn't say who designed the bridge.
Nothing about penalties is stated in these pages.
Unfortunately, the text does not specify the exact amount.
Das Dokument enthält keine Angaben zum Namen des Hundes.
Im Text wird nicht erwähnt, wer die Brücke entworfen hat.
Dazu habe ich in den Abschnitten nichts gefunden, ich weiß es nicht.
In den gezeigten Seiten steht nichts darüber.
Le document ne mentionne pas le nom du chien.
Je n'ai rien trouvé à ce sujet.
Il n'y a aucune information sur le prix dans le texte fourni.
El documento no menciona el nombre del perro.
No encontré esa información en los pasajes.
No hay información sobre el precio en el texto.
Il documento non menziona il nome del cane.
Non ho trovato questa informazione.
O documento não menciona o nome do cão.
Não encontrei essa informação.
Het document vermeldt de naam van de hond niet.
Ik kan dat niet vinden in de tekst.
Dokument nie zawiera informacji o imieniu psa.
Nie znalazłem tej informacji.
Dokumentet nämner inte hundens namn.
Jag hittar inte det i texten.
Belgede köpeğin adından bahsedilmiyor.
Bu bilgi metinde yer almıyor, bulamadım.
"""

STATEMENTS = """
The guarantee does not cover glass.
The workers get thirty-one days of paid leave.
The bridge was not built before 1911.
No dogs are allowed in the flats.
The committee found that the costs were too high.
The document says that the lease ends in March.
Die Garantie gilt nicht für Glas.
Der Vertrag endet im März, und die Miete wird nicht erhöht.
Das Dokument nennt drei Gründe für den Umbau.
La garantie ne couvre pas le verre.
Le document mentionne trois raisons.
La garantía no cubre el cristal.
El documento indica tres motivos.
La garanzia non copre il vetro.
Il documento indica tre motivi.
A garantia não cobre o vidro.
De garantie geldt niet voor glas.
Gwarancja nie obejmuje szkła.
Garantin gäller inte glas.
Garanti camı kapsamaz.
Le rapport traite du bruit et ne couvre pas les odeurs.
Bu belge geçerli değil.
"""


@pytest.mark.parametrize("sentence", ADMISSIONS.strip().split("\n"))
def test_that_a_text_does_not_tell_is_an_admission(sentence: str) -> None:
    assert admits_absence(sentence)


@pytest.mark.parametrize("sentence", STATEMENTS.strip().split("\n"))
def test_other_sentences_are_none(sentence: str) -> None:
    assert not admits_absence(sentence)
