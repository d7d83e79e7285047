"""Peers' own tests, run with alphacut in the peer's place. Not collected by pytest: see ``skimage_tests``."""
