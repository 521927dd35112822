"""What is said about an annotation in a word or two."""

from maskstudio.annotation.annotation import Annotation


def origin_words(annotation: Annotation) -> str:
    """Say where an annotation comes from: its score, or that a person changed or drew it."""
    if annotation.is_pre_annotation and annotation.score is not None:
        return f"{annotation.score:.2f}"
    return "drawn" if annotation.model_id is None else "checked"


def state_words(annotation: Annotation) -> list[str]:
    """Return the words for all that is not as usual with an annotation."""
    words = {
        "hidden": annotation.hidden,
        "locked": annotation.locked,
        "crowd": annotation.iscrowd,
    }
    return [word for word, holds in words.items() if holds]


def said_lines(annotation: Annotation) -> list[str]:
    """Return the note and the attributes of an annotation, a line for each."""
    note = [annotation.note] if annotation.note else []
    return note + [f"{name}: {value}" for name, value in annotation.attributes]
