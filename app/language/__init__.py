"""Pure functions on human languages: names, scripts, sentences, words, numbers, dates and units."""
