"""What the formats of Word, PowerPoint and Excel share: the package of parts, runs of text, drawings."""
