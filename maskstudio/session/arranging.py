"""How annotations are shown, locked and stacked: one short function for each verb, one edit each.

Nothing is said about the image by that: its state stays, and a model's annotations stay its own.
Every function returns True when the change was made (or nothing needed changing).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.z_order import Towards, moved_to_end, stepped
from maskstudio.session.session import Session


def hide_selected(session: Session) -> bool:
    """Hide the selected annotations and let go of them; show them when one is hidden already."""
    chosen = session.selected()
    hidden = not any(annotation.hidden for annotation in chosen)
    return set_hidden(session, session.selection, hidden=hidden)


def show_hidden(session: Session) -> bool:
    """Show every annotation of the current image that is hidden."""
    return set_hidden(session, (a.id for a in hidden_ones(session)), hidden=False)


def hidden_ones(session: Session) -> list[Annotation]:
    """Return the annotations of the current image that are hidden by themselves."""
    if len(session.shown) == len(session.annotations):
        return []
    return [a for a in session.annotations.values() if a.hidden]


def lock_selected(session: Session) -> bool:
    """Lock the selected annotations; unlock them when one is locked already."""
    chosen = session.selected()
    locked = not any(annotation.locked for annotation in chosen)
    return set_locked(session, session.selection, locked=locked)


def set_hidden(session: Session, annotation_ids: Iterable[int], *, hidden: bool) -> bool:
    """Hide annotations of the current image and let go of them, or show them."""
    there = _there(session, annotation_ids)
    after = [replace(a, hidden=hidden) for a in there if a.hidden != hidden]
    done = _arrange(session, after, f"{'Hide' if hidden else 'Show'} {_count(len(after))}")
    if done and hidden:
        # Nobody should move or relabel what cannot be seen.
        session.select(session.selection - {annotation.id for annotation in there})
    return done


def set_locked(session: Session, annotation_ids: Iterable[int], *, locked: bool) -> bool:
    """Lock annotations of the current image, so that nothing changes them, or unlock them."""
    there = _there(session, annotation_ids)
    after = [replace(a, locked=locked) for a in there if a.locked != locked]
    return _arrange(session, after, f"{'Lock' if locked else 'Unlock'} {_count(len(after))}")


def bring_to_front(session: Session) -> bool:
    """Bring the selected annotations in front of all others."""
    return _to_end(session, Towards.FRONT, "Bring {} to front")


def send_to_back(session: Session) -> bool:
    """Send the selected annotations behind all others."""
    return _to_end(session, Towards.BACK, "Send {} to back")


def raise_selected(session: Session) -> bool:
    """Bring each selected annotation in front of the next one that it overlaps."""
    return _step(session, Towards.FRONT, "Bring {} forward")


def lower_selected(session: Session) -> bool:
    """Send each selected annotation behind the next one that it overlaps."""
    return _step(session, Towards.BACK, "Send {} backward")


def _to_end(session: Session, towards: Towards, title: str) -> bool:
    after = moved_to_end(session.annotations, session.selection, towards)
    return _stack(session, after, towards, title)


def _step(session: Session, towards: Towards, title: str) -> bool:
    after = stepped(session.annotations, session.boxes, session.selection, towards)
    return _stack(session, after, towards, title)


def _stack(session: Session, after: Sequence[Annotation], towards: Towards, title: str) -> bool:
    if not session.selection:
        return False
    if not after:
        where = "in front of" if towards is Towards.FRONT else "behind"
        session.problem.emit(f"Nothing lies {where} what is selected; nothing was changed.")
        return False
    # More may have to make room than what was meant.
    return _arrange(session, after, title.format(_count(len(session.selection))))


def _there(session: Session, annotation_ids: Iterable[int]) -> list[Annotation]:
    known = session.annotations
    return [known[i] for i in annotation_ids if i in known]


def _count(number: int) -> str:
    return "annotation" if number == 1 else f"{number} annotations"


def _arrange(session: Session, after: Sequence[Annotation], title: str) -> bool:
    image = session.current
    if image is None:
        return False
    return session.edit(edits.arrange(session.content(image.id), after, title))
