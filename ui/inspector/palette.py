"""Colours that the viewer and the figures share."""

# Okabe and Ito, "Color Universal Design", 2008: told apart with every kind of colour vision. Black and yellow
# are left out: each would vanish on one of the backgrounds.
EXPERT_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
