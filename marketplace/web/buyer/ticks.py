"""Several of a few words, each with a box to tick."""

from wtforms import SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget


class Ticks(SelectMultipleField):  # type: ignore[misc]  # it ships no types
    """Several of a few words, each with a box to tick; none ticked is any."""

    widget, option_widget = ListWidget(prefix_label=False), CheckboxInput()
    validate_choice = False
