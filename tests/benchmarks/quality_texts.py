"""Short reports, notices and letters in four languages, each with a summary that a person wrote, for `quality_bench`.

They hold what grammars and checks stumble over: names of files, initials, decimals, numbers at the beginning of a
sentence, brackets, quotations.
"""

from __future__ import annotations

from typing import NamedTuple


class ShortText(NamedTuple):
    """`language` is a code as "en"."""

    name: str
    language: str
    text: str
    summary: str


TEXTS = (
    ShortText(
        "harbour",
        "en",
        """The harbour of Kellmouth handled 3.4 million tonnes of goods in 2024, after 3.2 million tonnes in 2023. Its \
income rose by 8 % to 41.6 million euros. Timber was the largest part, with 1.1 million tonnes, followed by grain.

Two of the four old cranes were taken down on 18 April 2024. The new crane, built by Brenner & Falk, lifts 60 tonnes \
and reaches 42 metres. No ship has had to wait for it longer than three hours.

The ferry to Sandholm sailed 1,204 times and carried 212,000 passengers. The ferry to Grey Point sailed 388 times. It \
will not sail on Sundays from next year on, because too few people used it.

There were 57 accidents at work, 15 of them with more than three days of absence. None of them was fatal.""",
        "In 2024 the harbour of Kellmouth handled 3.4 million tonnes and earned 41.6 million euros, 8 % more than the "
        "year before. A new crane that lifts 60 tonnes replaced two old ones. The ferry to Grey Point will stop "
        "sailing on Sundays. Of 57 accidents at work none was fatal.",
    ),
    ShortText(
        "release",
        "en",
        """Version 4.2 of the archive program reads settings from ~/.config/archive.toml instead of archive.ini. Old \
settings are moved by itself at the first start; archive.ini stays where it is and is no longer read.

Files larger than 2 GB are now split into parts of 512 MB named part.001, part.002 and so on. 64-bit systems can turn \
this off with --no-split. The limit of 65,535 files in an archive is gone.

A fault in v4.1.3 could lose the last entry of an archive when the disk was full. J. R. Okafor found it and wrote the \
test. If you made archives with 4.1.3 on a full disk, check them with the command “archive verify”.

The Windows version needs Windows 10 or later. Support for Python 3.8 ended; use 3.9 \
or newer (see docs.example.org).""",
        "Version 4.2 moves its settings to archive.toml and splits files larger than 2 GB into parts of 512 MB. It "
        "mends a fault of 4.1.3 that could lose the last entry on a full disk, so such archives should be verified. "
        "Windows 10 and Python 3.9 are needed.",
    ),
    ShortText(
        "tenants",
        "en",
        """Dear tenants, the lift in house B will be out of order from Monday, 3 March, to Friday, 14 March. The cable \
is 26 years old and has to be replaced. During this time please use the lift in house A, which is reached through the \
cellar.

Anyone who cannot climb stairs can have shopping carried up. Call Mrs. E. Adeyemi at the office before 10 a.m. and it \
will be done the same day. This costs you nothing.

The work costs 48,500 euros. The owner pays all of it; the rent does not rise because of it.

Bicycles must be out of the cellar by 28 February. What still stands in the way then is taken to the yard.""",
        "The lift in house B is closed from 3 to 14 March because its cable is replaced; the lift in house A can be "
        "used. Shopping is carried up on request. The owner pays the 48,500 euros. Bicycles must leave the cellar by "
        "28 February.",
    ),
    ShortText(
        "bees",
        "en",
        """Wild bees in the Oller valley have lost ground for thirty years. A survey of 112 meadows in 2022 found 61 \
of the 94 species that were counted there in 1991. Species that visit only one kind of flower suffered most.

The authors, led by Dr. M. T. Haugen, see mowing as the main cause. Meadows that were mown once a year, after July, \
had twice as many species as those mown three times. Distance to arable fields made no difference that could be \
measured (p = 0.41).

41 farmers have agreed to mow later on a fifth of their land. They are paid 320 euros a hectare and year. Whether this \
is enough will be seen in 2026, when all meadows are visited again.""",
        "In the Oller valley 61 of 94 species of wild bees were found again in 2022. The authors blame mowing: meadows "
        "mown once after July had twice as many species. 41 farmers now mow later for 320 euros a hectare, and the "
        "meadows are visited again in 2026.",
    ),
    ShortText(
        "wasserwerk",
        "de",
        """Das Wasserwerk Hohenau lieferte im Jahr 2024 insgesamt 4,2 Millionen Kubikmeter Trinkwasser an 61.000 \
Einwohner. Das sind 3 Prozent weniger als im Vorjahr, weil der Sommer kühl und nass war.

Im März wurde der alte Hochbehälter am Galgenberg abgerissen. Der neue Behälter fasst 5.000 Kubikmeter und kostete 6,8 \
Millionen Euro. Er ist seit dem 1. Oktober in Betrieb.

Bei 37 Rohrbrüchen gingen rund 90.000 Kubikmeter Wasser verloren. Die meisten Brüche gab es in der Altstadt, wo die \
Leitungen aus dem Jahr 1931 stammen. Sie werden bis 2027 erneuert.

Der Preis bleibt bei 1,94 Euro je Kubikmeter. Die Geschäftsführerin Karin Voss rechnet erst 2026 mit einer Erhöhung.""",
        "Das Wasserwerk Hohenau lieferte 2024 4,2 Millionen Kubikmeter Trinkwasser, 3 Prozent weniger als im Vorjahr. "
        "Ein neuer Behälter für 6,8 Millionen Euro ist seit Oktober in Betrieb. Bei 37 Rohrbrüchen gingen 90.000 "
        "Kubikmeter verloren. Der Preis bleibt bei 1,94 Euro.",
    ),
    ShortText(
        "buecherei",
        "de",
        """Die Stadtbücherei Lindach zieht um. Ab dem 15. September ist sie im ehemaligen Postamt in der Bahnhofstr. \
12 zu finden. In der Woche davor, vom 8. bis zum 14. September, bleibt sie geschlossen.

Ausgeliehene Bücher können bis Ende September behalten werden, Mahngebühren fallen in dieser Zeit nicht an. Wer früher \
zurückgeben will, kann den Kasten am Rathaus benutzen.

Im neuen Haus gibt es 40 Arbeitsplätze statt bisher 12, einen Raum für Kinder und zum ersten Mal einen Aufzug. Die \
Bücherei hat dann auch samstags von 10 bis 14 Uhr geöffnet.

Der Umbau kostete 2,3 Mio. Euro, von denen das Land 900.000 Euro trägt.""",
        "Die Stadtbücherei Lindach zieht zum 15. September in das ehemalige Postamt und ist vom 8. bis 14. September "
        "geschlossen. Ausgeliehene Bücher können bis Ende September behalten werden. Das neue Haus hat 40 "
        "Arbeitsplätze, einen Aufzug und samstags geöffnet.",
    ),
    ShortText(
        "protokoll",
        "de",
        """Protokoll der Sitzung vom 4. Juni. Anwesend waren acht von zehn Mitgliedern des Vorstands; Herr Dr. Brandt \
und Frau Yilmaz fehlten entschuldigt.

Der Vorstand beschließt einstimmig, das Sommerfest auf den 19. Juli zu verlegen, weil der Festplatz am 12. Juli schon \
vergeben ist. Frau Ostrowski kümmert sich um die Genehmigung und meldet sich bis zum 20. Juni.

Die Kasse weist 11.460 Euro aus. 3.200 Euro davon sind für das neue Dach zurückgelegt. Der Beitrag bleibt 2025 bei 48 \
Euro im Jahr.

Herr Lund schlägt vor, die Einladungen nur noch per E-Mail zu verschicken. Darüber wird im Herbst abgestimmt.""",
        "Der Vorstand verlegt das Sommerfest einstimmig auf den 19. Juli; Frau Ostrowski kümmert sich um die "
        "Genehmigung. Die Kasse weist 11.460 Euro aus, der Beitrag bleibt bei 48 Euro. Über Einladungen per E-Mail "
        "wird im Herbst abgestimmt.",
    ),
    ShortText(
        "musee",
        "fr",
        """Le musée de la Marine de Port-Clair a rouvert ses portes le 2 mai après trois ans de travaux. Il a reçu \
18 000 visiteurs pendant le premier mois, deux fois plus qu'en mai 2021.

Les salles ont été entièrement refaites par l'architecte A. Delmas. La plus grande abrite le voilier « L'Hirondelle », \
long de 22 mètres, qui n'avait jamais été montré au public.

Les travaux ont coûté 9,4 millions d'euros. La région en a payé la moitié, la ville un tiers et le reste vient de dons.

Le musée est ouvert tous les jours sauf le mardi. L'entrée coûte 8 euros ; elle est gratuite pour les moins de \
18 ans.""",
        "Le musée de la Marine de Port-Clair a rouvert le 2 mai après trois ans de travaux et a reçu 18 000 visiteurs "
        "en un mois. Les travaux ont coûté 9,4 millions d'euros. On y voit pour la première fois le voilier "
        "« L'Hirondelle ».",
    ),
    ShortText(
        "tramway",
        "fr",
        """La ligne 3 du tramway sera interrompue entre la gare et l'hôpital du 7 juillet au 24 août. Des rails posés \
en 1998 doivent être remplacés sur 1,6 kilomètre.

Des autobus circuleront toutes les 8 minutes en journée et toutes les 15 minutes après 20 heures. Le trajet durera \
environ 10 minutes de plus. Les billets restent les mêmes.

Les commerçants de la rue Pasteur craignent de perdre des clients. La ville leur versera une aide de 1 500 euros au \
plus, sur demande avant le 30 septembre.

Pendant les travaux, 62 arbres seront aussi plantés le long de la voie.""",
        "La ligne 3 du tramway est interrompue entre la gare et l'hôpital du 7 juillet au 24 août pour remplacer des "
        "rails. Des autobus circulent toutes les 8 minutes. Les commerçants peuvent demander une aide de 1 500 euros.",
    ),
    ShortText(
        "cooperativa",
        "es",
        """La cooperativa de Valdeoro vendió 620.000 litros de aceite en 2024, un 12 % menos que el año anterior. La \
sequía de la primavera redujo la cosecha casi a la mitad en las fincas del sur.

El precio, en cambio, subió de 5,10 a 7,80 euros por litro. Por eso los ingresos crecieron hasta 4,8 millones de euros.

Los 214 socios aprobaron en noviembre la compra de una nueva prensa por 380.000 euros. Empezará a funcionar en octubre \
de 2025 y gastará un 30 % menos de agua.

La presidenta, Lucía Ferrer, dejará el cargo en marzo después de nueve años.""",
        "La cooperativa de Valdeoro vendió 620.000 litros de aceite en 2024, un 12 % menos por la sequía, pero ingresó "
        "4,8 millones de euros porque subió el precio. Los socios aprobaron una nueva prensa. La presidenta deja el "
        "cargo en marzo.",
    ),
    ShortText(
        "escuela",
        "es",
        """La escuela de música abre la matrícula el 10 de junio. Se puede pedir plaza en la secretaría o en la página \
www.musica.example hasta el 28 de junio. Las listas se publicarán el 5 de julio.

Este curso hay 180 plazas, 25 más que el anterior, porque se han contratado dos profesores de piano y uno de \
violonchelo. Los niños pueden empezar a los seis años.

La cuota es de 42 euros al mes. Las familias con tres hijos o más pagan la mitad. El alquiler de un instrumento cuesta \
12 euros más.

Las clases empiezan el 16 de septiembre.""",
        "La matrícula de la escuela de música está abierta del 10 al 28 de junio. Hay 180 plazas, 25 más que antes. La "
        "cuota es de 42 euros al mes y las familias numerosas pagan la mitad. Las clases empiezan el 16 de septiembre.",
    ),
    ShortText(
        "minutes",
        "en",
        """Minutes of the meeting of 9 May. Present: Ms. Okoro, Mr. Lind, Mr. J. P. Santos and Dr. Weiss. Mr. Santos \
took the chair.

1. The budget for 2026 is 184,000 pounds. Ms. Okoro asked for another 6,000 for the roof, which was agreed.
2. The contract with Northgate Cleaning Ltd. ends on 31 July. Mr. Lind will ask three firms for offers by 15 June.
3. Dr. Weiss reported that 27 of the 31 windows have been replaced. The last four follow in June.

It was decided not to raise the fees. The next meeting is on 13 June at 6 p.m. in room 2.12.""",
        "The meeting of 9 May agreed to another 6,000 pounds for the roof in the budget of 184,000 pounds for 2026. "
        "Mr. Lind will ask three firms for offers by 15 June because the cleaning contract ends on 31 July. Fees are "
        "not raised.",
    ),
)

SENTENCES = (
    ("The library is closed on Mondays.", "Die Bibliothek ist montags geschlossen."),
    ("Tenants pay for heating and water.", "Die Mieter zahlen für Heizung und Wasser."),
    ("Twelve years later the bridge was opened again.", "Zwölf Jahre später wurde die Brücke wieder eröffnet."),
    ("The lift is out of order until Tuesday.", "Der Aufzug ist bis Dienstag außer Betrieb."),
    ("No ship had to wait longer than three hours.", "Kein Schiff musste länger als drei Stunden warten."),
    ("The fees are not raised this year.", "Die Gebühren werden in diesem Jahr nicht erhöht."),
    ("Please bring the signed form before 10 a.m.", "Bitte bringen Sie das unterschriebene Formular vor 10 Uhr mit."),
    ("The new crane lifts 60 tonnes.", "Der neue Kran hebt 60 Tonnen."),
    ("The price rose from 5.10 to 7.80 euros per litre.", "Der Preis stieg von 5,10 auf 7,80 Euro pro Liter."),
    ("Children under six travel free of charge.", "Kinder unter sechs Jahren fahren kostenlos."),
    ("The meeting begins at 6 p.m. in room 2.12.", "Die Sitzung beginnt um 18 Uhr in Raum 2.12."),
    ("The council decided by a narrow majority.", "Der Rat entschied mit knapper Mehrheit."),
    ("Her deputy came from Aveiro in 2019.", "Ihr Stellvertreter kam 2019 aus Aveiro."),
    ("It rained for nine days without a break.", "Es regnete neun Tage lang ohne Unterbrechung."),
    ("The museum is open every day except Tuesday.", "Das Museum ist täglich außer dienstags geöffnet."),
    ("Keep the medicine out of reach of children.", "Bewahren Sie das Medikament für Kinder unzugänglich auf."),
    ("He sold his bicycle and bought a boat.", "Er verkaufte sein Fahrrad und kaufte ein Boot."),
    ("Lorries may not use the old road.", "Lastwagen dürfen die alte Straße nicht benutzen."),
    ("Patience is needed with this device.", "Mit diesem Gerät braucht man Geduld."),
    ("Press Save to keep the file.", "Drücken Sie auf Speichern, um die Datei zu behalten."),
)
"""English, and the same in German as a person wrote it."""


class ListWanted(NamedTuple):
    """A text whose paragraphs are numbered from 1, what is asked for, and each thing of it with its paragraph."""

    language: str
    paragraphs: tuple[str, ...]
    wanted: str
    things: tuple[tuple[str, int], ...]


LISTS = (
    ListWanted(
        "en",
        (
            "The harbour of Kellmouth handled 3.4 million tonnes in 2024. Its income rose to 41.6 million euros.",
            "The new crane cost 5.2 million euros. It lifts 60 tonnes.",
            "The ferry carried 212,000 passengers and lost 300,000 euros.",
        ),
        "all amounts of money",
        (("41.6 million", 1), ("5.2 million", 2), ("300,000", 3)),
    ),
    ListWanted(
        "en",
        (
            "The lift in house B is closed from 3 March on. The cable is replaced by 14 March.",
            "Call Mrs. Adeyemi at the office before noon.",
            "Bicycles must be out of the cellar by 28 February.",
        ),
        "all dates",
        (("3 March", 1), ("14 March", 1), ("28 February", 3)),
    ),
    ListWanted(
        "en",
        (
            "Present were Ms. Okoro, Mr. Lind and Dr. Weiss. Mr. Lind took the chair.",
            "The contract with Northgate Cleaning ends on 31 July.",
            "J. P. Santos reported that four windows are left.",
        ),
        "all people who are named",
        (("Okoro", 1), ("Lind", 1), ("Weiss", 1), ("Santos", 3)),
    ),
    ListWanted(
        "en",
        (
            "A survey of 112 meadows found 61 species of wild bees in the Oller valley.",
            "The authors see mowing as the main cause. Pesticides and the dry summer of 2018 did harm, too.",
            "41 farmers have agreed to mow later.",
        ),
        "all causes of the decline",
        (("mowing", 2), ("pesticides", 2), ("dry summer", 2)),
    ),
    ListWanted(
        "en",
        (
            "Mr. Lind will ask three firms for offers by 15 June.",
            "The roof was inspected last week and is in order.",
            "Ms. Okoro will write to the insurer. The caretaker is to oil the gate.",
        ),
        "what has to be done",
        (("three firms", 1), ("insurer", 3), ("gate", 3)),
    ),
    ListWanted(
        "en",
        (
            "The train stops in Halden, Moss and Ski before it reaches Oslo.",
            "Tickets are sold on board.",
            "On Sundays it goes on to Hamar.",
        ),
        "all places where the train stops",
        (("Halden", 1), ("Moss", 1), ("Ski", 1), ("Oslo", 1), ("Hamar", 3)),
    ),
    ListWanted(
        "en",
        (
            "The soup needs two onions, a leek and a litre of stock.",
            "Cook it for twenty minutes over a low flame.",
            "Serve it with bread and a spoon of cream.",
        ),
        "all ingredients of the soup",
        (("onion", 1), ("leek", 1), ("stock", 1), ("cream", 3)),
    ),
    ListWanted(
        "en",
        (
            "The museum is open every day except Tuesday. Admission is free for children.",
            "Dogs have to stay outside, and pictures are taken without a flash.",
            "The café closes at six.",
        ),
        "all e-mail addresses",
        (),
    ),
    ListWanted(
        "en",
        (
            "Version 4.2 reads settings from archive.toml and no longer from archive.ini.",
            "Large files are split into part.001 and part.002.",
            "Nothing changes for the command line.",
        ),
        "all names of files",
        (("archive.toml", 1), ("archive.ini", 1), ("part.001", 2), ("part.002", 2)),
    ),
    ListWanted(
        "en",
        (
            "The board decided to repair the bridge. It did not decide about the school.",
            "It was decided to keep the fees as they are.",
            "The next meeting is on 13 June.",
        ),
        "all decisions",
        (("bridge", 1), ("fees", 2)),
    ),
    ListWanted(
        "en",
        (
            "Do not use the heater in a bathroom. Keep it away from curtains.",
            "The cable is two metres long.",
            "Never cover it while it is warm.",
        ),
        "all warnings",
        (("bathroom", 1), ("curtains", 1), ("cover", 3)),
    ),
    ListWanted(
        "en",
        (
            "Orla Finn wrote “The Salt Road” in 1988 and “Low Tide” four years later.",
            "She lived in Galway until 2001.",
            "“Harvest Home” was published after her death.",
        ),
        "all books by Orla Finn",
        (("Salt Road", 1), ("Low Tide", 1), ("Harvest Home", 3)),
    ),
    ListWanted(
        "de",
        (
            "Das Wasserwerk lieferte 4,2 Millionen Kubikmeter Wasser an 61.000 Einwohner.",
            "Der neue Behälter kostete 6,8 Millionen Euro. Das Land zahlte 900.000 Euro dazu.",
            "Der Preis bleibt bei 1,94 Euro je Kubikmeter.",
        ),
        "alle Geldbeträge",
        (("6,8 Millionen", 2), ("900.000", 2), ("1,94", 3)),
    ),
    ListWanted(
        "de",
        (
            "Anwesend waren Frau Yilmaz, Herr Dr. Brandt und Jana Kruse.",
            "Die Kasse weist 11.460 Euro aus.",
            "Das Sommerfest leitet Tobias Ahrens.",
        ),
        "alle Personen",
        (("Yilmaz", 1), ("Brandt", 1), ("Kruse", 1), ("Ahrens", 3)),
    ),
    ListWanted(
        "de",
        (
            "Die Bücherei zieht am 15. September um. Vom 8. September an bleibt sie geschlossen.",
            "Bücher können behalten werden.",
            "Die Feier beginnt am 3. Oktober um 11 Uhr.",
        ),
        "alle Termine",
        (("15. September", 1), ("8. September", 1), ("3. Oktober", 3)),
    ),
    ListWanted(
        "fr",
        (
            "Le musée a rouvert le 2 mai après trois ans de travaux.",
            "Une soirée aura lieu le 14 juin pour les amis du musée.",
            "Le musée ferme le 1er novembre et rouvre le 15 février.",
        ),
        "toutes les dates",
        (("2 mai", 1), ("14 juin", 2), ("1er novembre", 3), ("15 février", 3)),
    ),
    ListWanted(
        "fr",
        (
            "La ligne 3 est interrompue entre la gare et l'hôpital.",
            "Des bus remplacent le tramway; ils s'arrêtent au théâtre, au marché et au stade.",
            "Les billets restent valables.",
        ),
        "tous les arrêts des bus",
        (("théâtre", 2), ("marché", 2), ("stade", 2)),
    ),
    ListWanted(
        "es",
        (
            "La cooperativa vendió 620.000 litros de aceite en 2024, un 12 % menos que el año anterior.",
            "La nueva prensa gastará un 30 % menos de agua.",
            "El 95 % de los socios votó a favor.",
        ),
        "todos los porcentajes",
        (("12 %", 1), ("30 %", 2), ("95 %", 3)),
    ),
    ListWanted(
        "es",
        (
            "La escuela ofrece piano, violín y canto.",
            "La cuota es de 42 euros al mes.",
            "Desde septiembre se enseña también la guitarra.",
        ),
        "todo lo que se enseña",
        (("piano", 1), ("violín", 1), ("canto", 1), ("guitarra", 3)),
    ),
    ListWanted(
        "es",
        (
            "La biblioteca abre de lunes a viernes.",
            "Los libros se devuelven en la entrada.",
            "El jardín está abierto todo el año.",
        ),
        "todos los números de teléfono",
        (),
    ),
)
"""The things of two texts are none."""

QUESTIONS = (
    ("harbour", "Who made the machine that replaced the two old ones?", "Brenner"),
    ("harbour", "How many people did the boat to Sandholm take along?", "212,000"),
    ("tenants", "Who bears the expense of the repair?", "owner"),
    ("bees", "What do the authors blame for the loss of species?", "mowing|mown"),
    ("bees", "What compensation do growers receive per area?", "320"),
    ("minutes", "Whose agreement runs out in the summer?", "Northgate"),
    ("release", "Which fault could make entries disappear?", "4.1.3"),
    ("release", "What is the smallest Python that still works?", "3.9"),
)
"""A question in other words than its text, and what a right answer has (an expression)."""


class Infill(NamedTuple):
    """A function whose middle is missing, and what is true of it when that is right."""

    before: str
    after: str
    check: str


FUNCTIONS = (
    Infill("def add(a, b):\n    ", "\n    return result\n", "add(2, 3) == 5 and add(-1, 1) == 0"),
    Infill(
        "def largest(values):\n    best = values[0]\n    for value in values:\n        ",
        "\n    return best\n",
        "largest([3, 9, 2]) == 9 and largest([-5, -2]) == -2",
    ),
    Infill(
        "def is_even(number):\n    return ",
        "\n\n\ndef is_odd(number):\n    return not is_even(number)\n",
        "is_even(4) and is_odd(7)",
    ),
    Infill(
        "def count_words(text):\n    counts = {}\n    for word in text.split():\n        ",
        "\n    return counts\n",
        "count_words('a b a') == {'a': 2, 'b': 1}",
    ),
    Infill(
        "def factorial(n):\n    result = 1\n    for k in range(2, n + 1):\n        ",
        "\n    return result\n",
        "factorial(5) == 120 and factorial(0) == 1",
    ),
)


class CallWanted(NamedTuple):
    """What is said to a model with `TOOLS`; `function` "" where none fits."""

    said: str
    function: str
    arguments: dict[str, object]


TOOLS = (
    ("get_weather", "The weather in a city now", {"city": "string"}),
    ("set_timer", "Start a timer of so many minutes", {"minutes": "integer"}),
    ("play_music", "Play music by an artist", {"artist": "string"}),
)
"""Name, what it does, and its arguments with their types; all are required."""
CALLS = (
    CallWanted("What is the weather like in Lisbon right now?", "get_weather", {"city": "Lisbon"}),
    CallWanted("Set a timer for 12 minutes.", "set_timer", {"minutes": 12}),
    CallWanted("Play something by Miles Davis, please.", "play_music", {"artist": "Miles Davis"}),
    CallWanted("I am in Oslo. Do I need an umbrella today?", "get_weather", {"city": "Oslo"}),
    CallWanted("Thank you, that was kind.", "", {}),
    CallWanted("What is three times seven?", "", {}),
    CallWanted("Is it windy in New York?", "get_weather", {"city": "New York"}),
    CallWanted("The eggs need five minutes, remind me.", "set_timer", {"minutes": 5}),
    CallWanted("I would like to hear Nina Simone.", "play_music", {"artist": "Nina Simone"}),
    CallWanted("Wie ist das Wetter in München?", "get_weather", {"city": "München"}),
    CallWanted("Stell einen Timer auf 45 Minuten.", "set_timer", {"minutes": 45}),
    CallWanted("Mets de la musique de Jacques Brel.", "play_music", {"artist": "Jacques Brel"}),
    CallWanted("¿Hace calor en Sevilla ahora?", "get_weather", {"city": "Sevilla"}),
    CallWanted("Wake me in half an hour.", "set_timer", {"minutes": 30}),
    CallWanted("Put on some Björk.", "play_music", {"artist": "Björk"}),
    CallWanted("Will I freeze in Reykjavík?", "get_weather", {"city": "Reykjavík"}),
    CallWanted("Time my tea: three minutes.", "set_timer", {"minutes": 3}),
    CallWanted("How warm is it in Cairo?", "get_weather", {"city": "Cairo"}),
    CallWanted("Write a line of a poem about the sea.", "", {}),
    CallWanted("Who painted the Mona Lisa?", "", {}),
)
"""The first six are always asked; all with `grammars.ALL`."""
