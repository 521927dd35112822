"""Which key does what: the keys of a preset, and what the person changed of them."""

import re
from collections.abc import Iterable, Mapping

from PySide6.QtCore import QKeyCombination, QObject, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence

from maskstudio.ui.key_presets import DEFAULT_PRESET, PRESETS
from maskstudio.ui.key_table import Bindable, ToolKey, Where

Keys = tuple[str, ...]

_PLACE = re.compile(r"\{(\w+)\}")
_BETWEEN = "  ·  "


class Keymap(QObject):
    """The keys of everything that can have one.

    A key is written as `QKeySequence` writes it («Ctrl+Shift+M») and is one press, not a sequence.
    Two things share a key only where the tables give it to both: a tool then comes before an action
    while it has a use for the key, and the key to pan with does the other thing when it is tapped.

    Signals:
        changed: something has other keys now.
    """

    changed = Signal()

    def __init__(self, rows: Iterable[Bindable], parent: QObject | None = None) -> None:
        """Begin with the keys of the preset MaskStudio."""
        super().__init__(parent)
        self._rows = {row.name: row for row in rows}
        self._preset = DEFAULT_PRESET
        self._changes: dict[str, Keys] = {}
        self._renew()

    @property
    def rows(self) -> tuple[Bindable, ...]:
        """Everything that can have a key, in the order of the tables."""
        return tuple(self._rows.values())

    @property
    def preset(self) -> str:
        """The preset that all keys are of that the person did not change."""
        return self._preset

    @property
    def changes(self) -> dict[str, Keys]:
        """What has other keys than the preset gives it."""
        return dict(self._changes)

    def keys(self, name: str) -> Keys:
        """Return the keys of something."""
        return self._keys[name]

    def preset_keys(self, name: str) -> Keys:
        """Return the keys that the preset gives it."""
        return self._of_preset[name]

    def shown(self, name: str) -> str:
        """Return the first key of something as it is written for people, or nothing."""
        return next(map(written, self._keys[name]), "")

    def all_shown(self, name: str) -> str:
        """Return all keys of something as they are written for people."""
        return "  or  ".join(dict.fromkeys(map(written, self._keys[name])))

    def fill(self, text: str) -> str:
        """Write keys for what stands in braces; leave out a part in which one has none.

        Args:
            text: parts with «  ·  » between them; `{next}` stands for the key of «next».
        """
        parts = (part for part in text.split(_BETWEEN) if all(map(self._has_key, _names(part))))
        return _BETWEEN.join(_PLACE.sub(self._key_at, part) for part in parts)

    def meant(self, event: QKeyEvent) -> tuple[ToolKey, ...]:
        """Return what a key event asks of tools; Shift counts only where it is bound."""
        key = key_of(event.keyCombination())
        bare = key.replace("Shift+", "")
        return self._of_tools.get(key) or self._of_tools.get(bare) or ()

    def action_on(self, key: str) -> str | None:
        """Return the action that a key is of."""
        on_actions = (Where.WINDOW, Where.CANVAS)
        held = (n for n, keys in self._keys.items() if key in keys)
        return next((n for n in held if self._rows[n].where in on_actions), None)

    def clashes(self, name: str, key: str) -> tuple[Bindable, ...]:
        """Return what would lose a key, or forbids it, if it became one of `name`."""
        return tuple(
            row
            for row in self._rows.values()
            if row.name != name
            and key in self._keys[row.name]
            and not self._share(name, row.name, key)
        )

    def set_keys(self, name: str, keys: Iterable[str]) -> None:
        """Give something these keys and no others, and take them from what had them."""
        wanted = tuple(dict.fromkeys(keys))
        for other, theirs in self._changes.items():
            if other != name:
                lost = {k for k in theirs if k in wanted and not self._share(name, other, k)}
                self._changes[other] = tuple(k for k in theirs if k not in lost)
        self._changes[name] = wanted
        self._renew()

    def use_preset(self, preset: str) -> None:
        """Take up all keys of a preset."""
        self._preset, self._changes = preset, {}
        self._renew()

    def restore(self, preset: str, changes: Mapping[str, Keys]) -> str:
        """Take up what was stored; return a sentence on what could not be, or nothing.

        What has no row, because another version of the program wrote it, is left out silently.
        """
        known = preset in PRESETS
        self._preset = preset if known else DEFAULT_PRESET
        self._changes = {}
        self._renew()
        wrong = [name for name, keys in changes.items() if not self._restore_one(name, keys)]
        self._renew()
        if not known:
            return f"There are no keys of {preset!r}; they are those of {DEFAULT_PRESET} now."
        if wrong:
            texts = ", ".join(f"«{self._rows[name].text}»" for name in wrong)
            return f"Keys in the settings could not be used: {texts}; they are those of {preset}."
        return ""

    def _restore_one(self, name: str, keys: Keys) -> bool:
        row = self._rows.get(name)
        if row is None:
            return True
        used = {key: other for other, theirs in self._changes.items() for key in theirs}
        fixed = {k for r in self._rows.values() if r.where is Where.FIXED for k in r.keys}
        good = row.where is not Where.FIXED and all(
            key
            and key == canonical(key)
            and key not in fixed
            and (key not in used or self._share(name, used[key], key))
            for key in keys
        )
        if good:
            self._changes[name] = keys
        return good

    def _renew(self) -> None:
        base = {row.name: tuple(map(canonical, row.keys)) for row in self._rows.values()}
        given = PRESETS[self._preset].items()
        preset = {name: tuple(map(canonical, keys)) for name, keys in given if name in base}
        self._deliberate = {name: {*keys, *preset.get(name, ())} for name, keys in base.items()}
        self._of_preset = self._laid_over(base, preset)
        self._changes = {n: k for n, k in self._changes.items() if k != self._of_preset[n]}
        self._keys = self._laid_over(self._of_preset, self._changes)
        self._of_tools: dict[str, tuple[ToolKey, ...]] = {}
        for tool_key in ToolKey:
            for key in self._keys.get(tool_key, ()):
                self._of_tools[key] = (*self._of_tools.get(key, ()), tool_key)
        self.changed.emit()

    def _laid_over(self, under: Mapping[str, Keys], over: Mapping[str, Keys]) -> dict[str, Keys]:
        """Return all keys where some have others, which the rest may have to give up for them."""
        left: dict[str, Keys] = {}
        for name, keys in under.items():
            taken = {k for o, theirs in over.items() for k in theirs if not self._share(name, o, k)}
            left[name] = tuple(k for k in keys if k not in taken)
        return {**left, **over}

    def _share(self, one: str, other: str, key: str) -> bool:
        wheres = {self._rows[one].where, self._rows[other].where}
        if Where.FIXED in wheres:
            return False
        if Where.HELD in wheres:
            return True
        deliberate = key in self._deliberate[one] and key in self._deliberate[other]
        return Where.TOOL in wheres and deliberate

    def _has_key(self, name: str) -> bool:
        return bool(self._keys.get(name, (name,)))

    def _key_at(self, place: re.Match[str]) -> str:
        return self.shown(place[1]) if place[1] in self._keys else place[0]


def _names(text: str) -> list[str]:
    return _PLACE.findall(text)


def canonical(key: str) -> str:
    """Return a key as it is always written; empty when it is none, or several one after another."""
    sequence = QKeySequence(key)
    return _plain(sequence.toString()) if sequence.count() == 1 else ""


def key_of(combination: QKeyCombination) -> str:
    """Return what was pressed as a key, wherever on the keyboard it lies."""
    return _plain(QKeySequence(combination).toString())


def _plain(key: str) -> str:
    # Qt has a key of its own for Tab with Shift.
    return (
        key.replace("Num+", "").replace("Shift+Backtab", "Backtab").replace("Backtab", "Shift+Tab")
    )


def written(key: str) -> str:
    """Return a key as people know it on this system."""
    text = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    # Both are named so on keyboards.
    return text.replace("Return", "Enter")
