"""Twins of stages for NVIDIA GPUs, in Numba CUDA: same signatures, same bytes.

The functions of the package call them where their ``device`` says so. Importing this package loads nothing; importing
one of its modules loads Numba.
"""
