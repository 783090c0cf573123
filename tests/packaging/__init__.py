"""Tests of set-up, checks and the portable folder's trial."""
