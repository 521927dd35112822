"""What is open and what is running. QtCore only; no widgets, no torch."""
