"""How many steps are worth making, and how large they are to be."""

_PER_EARLIER, _FIRST_IMAGES, _PER_LATER_IMAGE = 20, 5, 24
# The steps become smaller over the last of those that are due.
_FALLING = 120
LEARNING_RATE = 1e-3


class TeachingPlan:
    """Counts steps: those made, and those that the images remembered are still worth.

    Of the first five images each is worth 20 steps more than the last, for one or two alone teach
    little that holds; each later one is worth 24: 300 steps from 5 and 660 from 20. The learning
    rate falls linearly to nothing as they are made. It rises again, by as much, with the next
    image: what was learned is refined, not learned anew.
    """

    def __init__(self, steps: int = 0, due: int = 0) -> None:
        """Go on from where a plan was."""
        self.steps = steps
        self.due = due

    def add(self, images: int) -> None:
        """Take an image in, or one that was changed.

        Args:
            images: how many are remembered with it.
        """
        early = images <= _FIRST_IMAGES
        self.due += _PER_EARLIER * images if early else _PER_LATER_IMAGE

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return LEARNING_RATE * min(1.0, self.due / _FALLING)

    def step(self) -> None:
        """Count a step."""
        self.steps += 1
        self.due = max(0, self.due - 1)
