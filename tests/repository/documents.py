"""The documents that people read, taken apart: their blocks of code, commands and links."""

import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES = (
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "usam/checkpoints/mini/README.md",
    "usam/checkpoints/base/README.md",
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FRONT_MATTER = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
INLINE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Document:
    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def front_matter(self) -> str:
        match = FRONT_MATTER.match(self.text)
        return match[1] if match else ""

    @cached_property
    def prose(self) -> str:
        """The text without its front matter and blocks of code."""
        return FENCE.sub("", FRONT_MATTER.sub("", self.text))

    def blocks(self, language: str) -> list[str]:
        return [body for kind, body in FENCE.findall(self.text) if kind == language]

    def commands(self) -> list[list[str]]:
        """The words of every command line in its shell blocks; continued lines are joined."""
        lines = "".join(self.blocks("sh")).replace("\\\n", " ").splitlines()
        return [words for words in (shlex.split(line, comments=True) for line in lines) if words]

    def inline(self) -> list[str]:
        """What stands between backticks within its sentences, each on one line."""
        return [" ".join(code.split()) for code in INLINE.findall(self.prose)]

    def links(self) -> list[str]:
        return LINK.findall(self.prose)

    def anchors(self) -> set[str]:
        """What its headings can be linked by, as GitHub makes them."""
        headings = HEADING.findall(self.prose)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def documents() -> list[Document]:
    return [
        Document(path) for path in (*(ROOT / name for name in NAMES), *sorted((ROOT / "docs").glob("*.md")))
    ]


def document(name: str) -> Document:
    return Document(ROOT / name)
