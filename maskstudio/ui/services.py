"""What the window works on."""

from dataclasses import dataclass

from maskstudio.session.box_outlining import BoxOutlining
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.drafts import Drafts
from maskstudio.session.images import ImageLoader
from maskstudio.session.learning import Learning
from maskstudio.session.look_ahead import LookAhead
from maskstudio.session.model_store import ModelStore
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.session import Session
from maskstudio.session.tasks import Tasks
from maskstudio.ui.notifications import Notifications


@dataclass(frozen=True)
class Services:
    """Built by the composition root.

    Attributes:
        command: what starts this program again, for a command to be added to.
    """

    session: Session
    tasks: Tasks
    loader: ImageLoader
    filtering: DetectionFiltering
    annotator: PreAnnotator
    models: ModelStore
    look_ahead: LookAhead
    box_outlining: BoxOutlining
    drafts: Drafts
    notifications: Notifications
    command: tuple[str, ...]
    learning: Learning
