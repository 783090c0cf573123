"""Short texts that a person might have, for questions and summaries."""

from __future__ import annotations

HARBOUR = """# The harbour of Kellmouth in 2024

The harbour of Kellmouth handled 3.4 million tonnes of goods in 2024, after 3.2 million tonnes in 2023. Its income rose
by 8 % to 41.6 million euros. Timber was the largest part, with 1.1 million tonnes, followed by grain and cement.

Two of the four old cranes were taken down on 18 April 2024. The new crane, built by Brenner & Falk, lifts 60 tonnes and
reaches 42 metres. It has been in use since 2 September, and no ship has had to wait for it longer than three hours.

The ferry to Sandholm sailed 1,204 times and carried 212,000 passengers. The ferry to Grey Point sailed 388 times. From
next year on it will not sail on Sundays, because too few people used it.

There were 57 accidents at work, 15 of them with more than three days of absence. None of them was fatal. The harbour
company has promised new lamps on the eastern quay, where most of the accidents happened.

In 2025 the company will deepen the channel to 9.5 metres. The work costs 12 million euros, half of which is paid by
the state. Captain Irene Dahl, who has led the company for eleven years, retires in June.
"""
WATERWORKS = """# Das Wasserwerk Hohenau im Jahr 2024

Das Wasserwerk Hohenau lieferte im Jahr 2024 insgesamt 4,2 Millionen Kubikmeter Trinkwasser an 61.000 Einwohner. Das
sind 3 Prozent weniger als im Vorjahr, weil der Sommer kühl und nass war.

Im März wurde der alte Hochbehälter am Galgenberg abgerissen. Der neue Behälter fasst 5.000 Kubikmeter und kostete 6,8
Millionen Euro. Er ist seit dem 1. Oktober in Betrieb.

Bei 37 Rohrbrüchen gingen rund 90.000 Kubikmeter Wasser verloren. Die meisten Brüche gab es in der Altstadt, wo die
Leitungen aus dem Jahr 1931 stammen. Sie werden bis 2027 erneuert.

Der Preis bleibt bei 1,94 Euro je Kubikmeter. Die Geschäftsführerin Karin Voss rechnet erst 2026 mit einer Erhöhung.
"""
