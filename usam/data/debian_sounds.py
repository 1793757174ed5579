"""Sounds and drums inside Debian packages, beyond the corpus; a folder is `/usr/share` or its like.

- `read_drumkits`: hydrogen-drumkits; one-shots of acoustic and electronic drums
- `read_game_sounds`: supertux-data, hedgewars-data, minetest-data; effects whose file names say what they are
- `read_themes`: sound-theme-freedesktop, oxygen-sounds, yaru-theme-sound, deepin-sound-theme,
  psi-plus-sounds; the signals of desktops, which are no music though they have a pitch
- `read_songs`: warzone2100-music, supertux-data, hedgewars-data; cuts of whole pieces, without a label
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from usam.data.corpus import CorpusError, Example
from usam.data.debian_packages import seconds_of
from usam.schema.segments import Kind

_KITS = "hydrogen/data/drumkits"
_SONGS = ("games/warzone2100/music", "games/supertux2/music", "games/hedgewars/Data/Music")
LONGEST_EFFECT = 15.0
CUT, CUTS = 6.0, 5  # seconds, and how many of a song

# Names of drums as the kits' files abbreviate them; the first that fits a file's name is its label.
_DRUMS = {
    r"ride.*bell": "ride cymbal bell",
    r"crash|\bcra\b": "crash cymbal",
    r"ride": "ride cymbal",
    r"splash": "splash cymbal",
    r"china": "china cymbal",
    r"side ?stick|\brim|snare ?rim|\brs\b": "snare drum rimshot",
    r"snare|\bsd\b|\bsr\b": "snare drum",
    r"hat|\bhh|\bchh|\bohh": "hi-hat",
    r"kick|bass ?drum|\bbd\b": "bass drum",
    r"tom\d?|\bt\d\b": "tom drum",
    r"cowbell": "cowbell",
    r"maraca": "maracas",
    r"tambourin": "tambourine",
    r"agogo": "agogo bell",
    r"conga": "conga drum",
    r"bongo": "bongo drum",
    r"clap": "hand clap percussion",
    r"shaker": "shaker",
    r"whistle": "whistle",
    r"triangle": "triangle",
    r"timbale": "timbale drum",
    r"clave": "claves",
    r"guiro": "guiro",
    r"cabasa": "cabasa",
    r"woodblock": "wood block",
}

_EFFECTS: Mapping[str, Mapping[str, str]] = {
    "games/supertux2/sounds": {
        "thunder": "thunder",
        "rain": "rain",
        "ticking": "clock ticking",
        "firecracker": "firecracker",
        "splash": "water splash",
        "yeti_roar": "monster roar",
        "phone": "telephone ringing",
        "pop": "pop",
        "fireworks": "fireworks",
        "saw": "saw",
        "coin": "coin",
        "coin2": "coins",
        "door": "door",
        "waterfall": "waterfall",
        "explosion": "explosion",
        "gulp": "gulp",
        "sizzle": "sizzling",
        "thud": "thud",
        "turnkey": "key turning in a lock",
        "cracking": "cracking",
        "flame": "flame",
        "fire": "fire",
        "icecrash": "ice breaking",
        "tree_howling": "howling",
        "lightning": "lightning",
        "squish": "squish",
        "brick": "bricks breaking",
        "jump": "jump",
    },
    "games/hedgewars/Data/Sounds": {
        "plane": "airplane",
        "whipcrack": "whip crack",
        "bee": "bee buzzing",
        "Kiss": "kiss",
        "drillgun": "drill",
        "sniperreload": "gun reload",
        "shotgunreload": "shotgun reload",
        "shotgunfire": "shotgun",
        "minigun": "machine gun",
        "gun": "gunshot",
        "mortar": "mortar shot",
        "flamethrower": "flamethrower",
        "blowtorch": "blowtorch",
        "pickhammer": "jackhammer",
        "hammer": "hammer",
        "steps": "footsteps",
        "steam": "steam hiss",
        "splash": "water splash",
        "explosion": "explosion",
        "rubberduck_water": "rubber duck squeak",
        "rubberduck_drop": "rubber duck squeak",
        "baseballbat": "baseball bat hit",
        "molotov": "glass breaking",
        "beep": "beep",
        "minetick": "ticking",
        "Droplet1": "water drop",
        "Droplet2": "water drop",
        "Droplet3": "water drop",
        "rcplane": "model airplane engine",
        "planewater": "airplane falling into water",
        "shutterclick": "camera shutter",
        "ufo": "spaceship",
        "parachute": "parachute opening",
        "Whistle": "whistle",
    },
    "minetest/games": {
        "default_break_glass": "glass breaking",
        "default_chest_close": "chest closing",
        "default_chest_open": "chest opening",
        "default_dig_metal": "hitting metal",
        "default_metal_footstep": "footsteps on metal",
        "default_gravel_footstep": "footsteps on gravel",
        "default_grass_footstep": "footsteps on grass",
        "default_snow_footstep": "footsteps in snow",
        "default_sand_footstep": "footsteps on sand",
        "default_wood_footstep": "footsteps on wood",
        "default_water_footstep": "footsteps in water",
        "default_furnace_active": "fire burning",
        "doors_door_close": "door closing",
        "doors_door_open": "door opening",
        "doors_steel_door_close": "steel door closing",
        "doors_steel_door_open": "steel door opening",
        "doors_fencegate_close": "gate closing",
        "doors_fencegate_open": "gate opening",
        "env_sounds_water": "water flowing",
        "fire_fire": "fire crackling",
        "fire_large": "fire crackling",
        "fire_small": "fire crackling",
        "tnt_explode": "explosion",
        "tnt_gunpowder_burning": "fuse burning",
        "carts_cart_moving": "cart rolling on rails",
    },
}

_THEMES = ("sounds/freedesktop", "sounds/Yaru", "sounds/deepin", "psi-plus/sound")
# Voices, the jingles of a login, and windows that rustle are left out: hard to say what they are.
_SIGNALS = {
    r"audio-channel|audio-test|log-?(in|out|off)|ready|shutdown|resume|trash|window-|chess|plug": None,
    r"camera|screen-capture": "camera shutter",
    r"phone": "telephone ringing",
    r"alarm-clock": "alarm clock",
    r"\bbell": "bell",
    r"error|warning|critical|negative|cant|problems|lost|low": "warning chime",
    r"message|complete|dialog|device|im-|sys-|k3b|attention|question|chat|mail|ft_|line|notify|remind|send": (
        "notification chime"
    ),
}


def read_packages(folder: Path) -> list[Example]:
    """Drum hits, effects and songs of whatever is installed or unpacked under `folder`, none held out.

    Raises CorpusError if nothing is: the folder is likely a wrong one.
    """
    kits = read_drumkits(folder) if (folder / _KITS).is_dir() else []
    found = kits + read_game_sounds(folder) + read_themes(folder) + read_songs(folder)
    if not found:
        raise CorpusError(f"{folder} holds none of the packages whose sounds can be trained on.")
    return found


def read_songs(folder: Path) -> list[Example]:
    """Evenly spaced cuts of every song; what plays in them is unknown."""
    found = []
    for place in _SONGS:
        for song in sorted(p for p in (folder / place).rglob("*") if p.suffix in (".ogg", ".opus")):
            length = seconds_of(song)
            for index in range(CUTS if length > CUT * CUTS else 0):
                start = round(length * (index + 0.5) / CUTS - CUT / 2, 2)
                cut = _example(
                    song, "music", None, f"songs:{song.stem}", "songs", "GPL, CC BY-SA or CC0 by song"
                )
                found.append(replace(cut, seconds=CUT, span=(start, start + CUT)))
    return found


def read_drumkits(folder: Path) -> list[Example]:
    """Drum hits of every kit; the hits of one kit and drum are a group."""
    kits = folder / _KITS
    if not kits.is_dir():
        raise CorpusError(f"{folder} holds no drum kits: install or unpack hydrogen-drumkits.")
    found = []
    for clip in sorted(path for path in kits.rglob("*") if path.suffix in (".wav", ".flac")):
        name = re.sub(r"[-_.]", " ", re.sub(r"([a-z])([A-Z])", r"\1 \2", clip.stem)).lower()
        label = next((label for pattern, label in _DRUMS.items() if re.search(pattern, name)), None)
        if label is not None:
            group = f"drumkits:{clip.parent.name}:{label}"
            found.append(_example(clip, "music", label, group, "drumkits", "GPL, CC BY-SA or CC0 by kit"))
    return found


def read_game_sounds(folder: Path) -> list[Example]:
    """Effects of the games that are there, none if none is."""
    found = [
        _example(clip, "sound", label, f"games:{label}", "games", "GPL, CC BY-SA or CC0 by file")
        for place, names in _EFFECTS.items()
        for clip in sorted((folder / place).rglob("*"))
        if clip.suffix in (".wav", ".ogg") and (label := names.get(clip.stem.split(".")[0]))
    ]
    return [example for example in found if example.seconds <= LONGEST_EFFECT]


def read_themes(folder: Path) -> list[Example]:
    """Signals of the desktop themes that are there, none if none is."""
    clips = [path for place in _THEMES for path in (folder / place).rglob("*")]
    clips += (folder / "sounds").glob("Oxygen-*")
    found = []
    for clip in sorted(clips):
        fits = (label for names, label in _SIGNALS.items() if re.search(names, clip.stem.lower()))
        if clip.suffix in (".oga", ".ogg", ".wav") and (label := next(fits, None)):
            found.append(
                _example(clip, "sound", label, f"themes:{label}", "themes", "GPL, LGPL, CC BY or CC BY-SA")
            )
    return found


def _example(clip: Path, kind: Kind, label: str | None, group: str, source: str, licence: str) -> Example:
    return Example(clip, seconds_of(clip), kind, None, label, group, source, licence, "")
