"""What is known of human languages: names, scripts, sentences, words, numbers, dates and units; pure functions."""
