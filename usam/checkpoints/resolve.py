"""From what a person calls a checkpoint to its folder."""

import re
from pathlib import Path
from typing import Any

from usam.errors import WeightsError

HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
"""`owner/name` of a repository on the model hub."""


def checkpoint_folder(name: str | Path, **options: Any) -> Path:
    """The folder of a checkpoint: itself, or a copy of `owner/name` from the hub; `options` are those of the
    hub's `snapshot_download`, such as a revision. Raises WeightsError.
    """
    if Path(name).is_dir():
        return Path(name)
    if not HUB_NAME.fullmatch(str(name)):
        raise WeightsError(f"There is no checkpoint folder {str(name)!r}.")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(name), **options))
    except Exception as error:  # the hub's client raises many kinds, its HTTP library's among them
        raise WeightsError(f"The checkpoint {str(name)!r} is neither a folder nor on the hub.") from error
