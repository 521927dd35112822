"""What is said of a model in lists."""

from maskstudio.storage.model_folder import Kind, ListedModel, State

_MEGABYTE = 1_000_000


def megabytes(size: int) -> str:
    """Return a size in words."""
    return f"{size / _MEGABYTE:,.0f} MB"


def choice_words(model: ListedModel) -> str:
    """Return what a list to choose from calls a model."""
    if model.is_here:
        return model.title
    return f"{model.title} ({megabytes(model.size)}, download)"


def tip(model: ListedModel) -> str:
    """Return what a model is for and what the program calls it."""
    return f"{model.purpose} ({model.name})"


def state_words(model: ListedModel, *, in_use: bool, downloading: bool) -> str:
    """Return whether a model can be used."""
    if in_use:
        return "in use"
    if downloading:
        return "downloading …"
    if model.state is State.PARTLY:
        return f"{megabytes(model.arrived)} of it here"
    if not model.is_here:
        return "to download"
    return "ships with the program" if model.kind is Kind.EMBEDDED else "here"
