"""What is answered where a clip tells nothing."""

UNTOLD = "The clip does not tell."
NOTHING = "Nothing can be heard."
NO_SPEECH = "No speech can be heard."
REFUSALS = frozenset({UNTOLD, NOTHING, NO_SPEECH})
