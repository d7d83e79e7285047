"""``python -m alphacut``: the same as the command ``alphacut``."""

from .cli import main

if __name__ == "__main__":
    main(prog_name="alphacut")
