"""How the network that finds the subject was trained: PyTorch, never imported by the package."""
