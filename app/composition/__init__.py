"""The parts that the program is composed of, each built once when it is first used."""
