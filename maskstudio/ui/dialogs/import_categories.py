"""What becomes of each category of a data set that is imported: a table, and what can be chosen."""

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.category_map import IGNORED
from maskstudio.formats.incoming import IncomingCategory
from maskstudio.session.import_plan import Destination
from maskstudio.ui.dialogs.category_map_table import CategoryTable, Headings, Row
from maskstudio.ui.dialogs.destination_list import DestinationList, KeepingField, Own
from maskstudio.ui.labels import faint, heading
from maskstudio.ui.panels.annotation_model import colour_icon

_HEADINGS = Headings(
    "Categories of the data set and where they go",
    "In the data set",
    "Annotations",
    "In the whole data set",
)
_SIDE_WIDTH = 240
_MANY = 12  # more rows than this are better searched than looked through
_NO_COLOUR = "transparent"


class CategoryChoice(QWidget):
    """A row for each category of the data set, and where those selected can go.

    Signals:
        changed: something goes elsewhere.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._incoming: Sequence[IncomingCategory] = ()
        self._of_project: Sequence[Category] = ()
        self._goes_to: dict[str, Destination] = {}
        self._proposed: dict[str, Destination] = {}
        self.finder = KeepingField(placeholderText="Find a category of the data set…")
        self.finder.setAccessibleName("Find a category of the data set")
        self.finder.setClearButtonEnabled(True)
        self.table = CategoryTable(_HEADINGS)
        self.goals = DestinationList()
        self.goals.setFixedWidth(_SIDE_WIDTH)
        self._sum = faint()
        self._sum.setAccessibleName("How many categories go where")
        self._of = faint()
        self._of.setTextFormat(Qt.TextFormat.PlainText)
        self.others = QPushButton("Leave out all others", autoDefault=False)
        self.others.setToolTip("All that go to no category of the project")
        self.none = QPushButton("Leave out none", autoDefault=False)
        self.none.setToolTip("What is left out becomes categories of its own names")
        self._build()
        self.finder.textChanged.connect(self.table.show_found)
        self.finder.taken.connect(self.table.setFocus)
        self.table.itemSelectionChanged.connect(self._show_chosen)
        self.table.ignoring.connect(self._toggle_ignored)
        self.goals.category_taken.connect(self._send_chosen)
        self.goals.new_taken.connect(self._send_chosen)
        self.goals.own_taken.connect(self._take_own)
        self.others.clicked.connect(self._leave_out_others)
        self.none.clicked.connect(self._leave_out_none)

    def offer(
        self,
        incoming: Sequence[IncomingCategory],
        proposed: Sequence[Destination],
        of_project: Sequence[Category],
    ) -> None:
        """Show categories of a data set; those sent elsewhere before still go there if they can.

        Args:
            incoming: them.
            proposed: where each of them goes unless a person has it go elsewhere.
            of_project: the categories that are there already.
        """
        self._incoming, self._of_project = incoming, of_project
        names = [category.name for category in incoming]
        sent = {n: goal for n, goal in self._goes_to.items() if goal != self._proposed[n]}
        self._proposed = dict(zip(names, proposed, strict=True))
        known = {category.id for category in of_project} | {IGNORED}
        kept = {n: g for n, g in sent.items() if n in names and (isinstance(g, str) or g in known)}
        self._goes_to = self._proposed | kept
        # What there is most of comes first; among equals the order of the data set stays.
        self.table.set_names(c.name for c in sorted(incoming, key=lambda c: -c.count))
        self.finder.setVisible(len(names) > _MANY)
        self._show()

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """Where each category of the data set goes, in the order of the data set."""
        return tuple(self._goes_to[category.name] for category in self._incoming)

    @property
    def count(self) -> int:
        """How many annotations of the data set are of categories that are not left out."""
        return sum(c.count for c in self._incoming if self._goes_to[c.name] != IGNORED)

    def _build(self) -> None:
        top = QHBoxLayout()
        top.addWidget(heading("Categories"))
        top.addWidget(self.finder, 1)
        top.addStretch()
        top.addWidget(self.others)
        top.addWidget(self.none)
        side = QVBoxLayout()
        side.addWidget(self._of)
        side.addWidget(self.goals, 1)
        middle = QHBoxLayout()
        middle.addWidget(self.table, 1)
        middle.addLayout(side)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(top)
        column.addLayout(middle, 1)
        column.addWidget(self._sum)

    def _send(self, names: Sequence[str], goal: Destination) -> None:
        self._goes_to.update(dict.fromkeys(names, goal))
        self._show()
        self.changed.emit()

    def _send_chosen(self, goal: Destination) -> None:
        self._send(self.table.chosen, goal)

    def _take_own(self, own: Own) -> None:
        if own is Own.IGNORE:
            self._send_chosen(IGNORED)
        else:
            self._keep(self.table.chosen)

    def _keep(self, names: Sequence[str]) -> None:
        """Have categories become those of the project of their own names, made where needed."""
        there = {category.name: category.id for category in self._of_project}
        self._goes_to.update({name: there.get(name, name) for name in names})
        self._show()
        self.changed.emit()

    def _toggle_ignored(self) -> None:
        chosen = self.table.chosen
        if all(self._goes_to[name] == IGNORED for name in chosen):
            self._goes_to.update({name: self._proposed[name] for name in chosen})
            self._show()
            self.changed.emit()
        else:
            self._send(chosen, IGNORED)

    def _leave_out_others(self) -> None:
        self._send([n for n, goal in self._goes_to.items() if isinstance(goal, str)], IGNORED)

    def _leave_out_none(self) -> None:
        self._keep([name for name, goal in self._goes_to.items() if goal == IGNORED])

    def _show(self) -> None:
        there = {category.id: category for category in self._of_project}
        rows = {}
        for incoming in self._incoming:
            goal = self._goes_to[incoming.name]
            category = there.get(goal) if isinstance(goal, int) else None
            words = f"new: {goal}" if isinstance(goal, str) else "leave out"
            rows[incoming.name] = Row(
                incoming.count,
                words if category is None else category.name,
                colour_icon(_NO_COLOUR if category is None else category.shown_colour),
                category is None,
            )
        self.table.show_rows(rows)
        kinds = Counter(_kind(goal) for goal in self._goes_to.values())
        self._sum.setText(
            f"To categories of the project: {kinds['there']}  ·  new: {kinds['new']}  ·  "
            f"left out: {kinds['out']}"
        )
        self.others.setEnabled(kinds["new"] > 0)
        self.none.setEnabled(kinds["out"] > 0)
        self._show_chosen()

    def _show_chosen(self) -> None:
        """Show what can become of the selected rows."""
        chosen = self.table.chosen
        same = f"new: {chosen[0]}" if len(chosen) == 1 else "new, each by its own name"
        own = {Own.SAME_NAME: same, Own.IGNORE: "leave out"}
        if {category.name for category in self._of_project}.issuperset(chosen):
            # They are in the list already.
            del own[Own.SAME_NAME]
        self.goals.show_choice(own, self._of_project, self._goal(chosen))
        one = chosen[0] if len(chosen) == 1 else f"{len(chosen)} categories"
        self._of.setText(f"{one} goes to" if len(chosen) == 1 else f"{one} go to")
        self._of.setVisible(bool(chosen))
        self.goals.setEnabled(bool(chosen))

    def _goal(self, chosen: Sequence[str]) -> Own | int | None:
        """Return where these rows go now; None when that differs, or is a new name of its own."""
        goals = {_as_choice(name, self._goes_to[name]) for name in chosen}
        return goals.pop() if len(goals) == 1 else None


def _as_choice(name: str, goal: Destination) -> Own | int | None:
    if goal == IGNORED:
        return Own.IGNORE
    if isinstance(goal, int):
        return goal
    return Own.SAME_NAME if goal == name else None


def _kind(goal: Destination) -> str:
    if isinstance(goal, str):
        return "new"
    return "out" if goal == IGNORED else "there"
