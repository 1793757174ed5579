"""What makes transformers' Auto classes find us from a checkpoint folder, under `trust_remote_code=True`."""

import json
from pathlib import Path

CODE = "modeling_usam.py"
AUTO_MAP = {
    "AutoConfig": "modeling_usam.USAMConfig",
    "AutoModel": "modeling_usam.USAM",
    "AutoProcessor": "modeling_usam.USAMProcessor",
}
_SOURCE = '''"""U-SAM's classes, for transformers' Auto classes; the package usam-studio holds them."""

try:
    from usam import USAM, USAMConfig, USAMProcessor
except ModuleNotFoundError as error:
    raise ImportError("This checkpoint needs the package usam-studio, which has the module usam.") from error

__all__ = ["USAM", "USAMConfig", "USAMProcessor"]
'''


def add_remote_code(folder: Path, *configs: str, **fields: object) -> None:
    """Write the module, and name its classes, with further `fields`, in those JSON files of the folder."""
    (folder / CODE).write_text(_SOURCE, encoding="utf-8")
    for name in configs:
        file = folder / name
        config = json.loads(file.read_text(encoding="utf-8")) | {"auto_map": AUTO_MAP, **fields}
        file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
