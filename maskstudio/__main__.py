"""Run the program with `python -m maskstudio`."""

from maskstudio.cli import main

main()
