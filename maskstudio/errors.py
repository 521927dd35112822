"""The two exceptions every room may raise and every entry point knows how to show."""


class UserError(Exception):
    """Something the person can mend; its text is one sentence.

    The sentence says what failed, which file it was, and what to do about it.
    """


class CancelledError(Exception):
    """The person asked for the work to stop; nothing failed."""
