"""The two kinds of label the panels are made of."""

from PySide6.QtWidgets import QLabel


def heading(text: str) -> QLabel:
    """Return the title of a panel."""
    label = QLabel(text)
    label.setObjectName("heading")
    return label


def faint(text: str = "") -> QLabel:
    """Return a label for what is good to know but not to be read first."""
    label = QLabel(text)
    label.setObjectName("faint")
    label.setWordWrap(True)
    return label
