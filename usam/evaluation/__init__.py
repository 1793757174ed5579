"""The public evaluation: real clips nobody trained on, asked as the app asks, scored in words.

Every figure has a bootstrap 95 % interval over the answers. Baselines answer the same questions under the
same scoring, so that the table shows what the whole adds to its parts.
"""

from usam.evaluation.report import table, write
from usam.evaluation.run import Options, evaluate

__all__ = ["Options", "evaluate", "table", "write"]
