"""Hostile and unlucky files of every format that is read, and what a decoder makes of them.

    python -m tools.fuzz [--files 20000] [--seed 0] [--workers 2]

Every file is made from the seed and its number when its turn comes; none is on disk.
"""
