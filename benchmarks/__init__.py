"""Measurements of speed and memory, printed as ratios taken in one run; never part of the tests."""
