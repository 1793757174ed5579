"""The look: paper and ink by day, an instrument panel by night.

Fonts are files that Gradio itself serves; of IBM Plex only regular and bold come with the full alphabet.
"""

from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors, fonts, sizes

STYLE = Path(__file__).with_name("style.css")

_PETROL = colors.Color(
    name="petrol",
    c50="#eef7f6",
    c100="#d6ebe9",
    c200="#aed7d4",
    c300="#7dbdb9",
    c400="#4c9f9c",
    c500="#2a8381",
    c600="#176a6a",
    c700="#145556",
    c800="#134546",
    c900="#123a3b",
    c950="#082224",
)
_STONE = colors.Color(
    name="stone",
    c50="#f8f7f4",
    c100="#f0eeea",
    c200="#e2dfd8",
    c300="#ccc8be",
    c400="#9a968c",
    c500="#6f6c64",
    c600="#54524c",
    c700="#363b40",
    c800="#1d2328",
    c900="#14191d",
    c950="#0e1215",
)


def theme() -> gr.themes.Base:
    """Calm and flat: hairlines instead of shadows, one accent, figures in a monospaced face."""
    look = gr.themes.Base(
        primary_hue=_PETROL,
        secondary_hue=_PETROL,
        neutral_hue=_STONE,
        radius_size=sizes.radius_md,
        spacing_size=sizes.spacing_md,
        text_size=sizes.text_md,
        font=(fonts.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"),
        font_mono=(fonts.LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"),
    )
    return look.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="#1b2327",
        body_text_color_dark="#e6e4df",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="#a3a199",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_50",
        background_fill_secondary_dark="*neutral_800",
        block_background_fill="#ffffff",
        block_background_fill_dark="*neutral_900",
        block_border_color="*neutral_200",
        block_border_color_dark="#2a3137",
        block_border_width="1px",
        block_shadow="none",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_label_text_color="*neutral_500",
        block_label_text_color_dark="#a3a199",
        block_title_text_color="*neutral_600",
        block_title_text_color_dark="#bdbab2",
        block_title_text_size="*text_sm",
        block_title_text_weight="600",
        border_color_primary="*neutral_200",
        border_color_primary_dark="#2a3137",
        input_background_fill="#ffffff",
        input_background_fill_dark="*neutral_950",
        input_border_width="1px",
        input_border_color="*neutral_300",
        input_border_color_dark="#3a4249",
        input_border_color_focus="*primary_500",
        input_border_color_focus_dark="*primary_400",
        input_placeholder_color="*neutral_400",
        input_placeholder_color_dark="#7c7a73",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="#ffffff",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="#3a4249",
        button_border_width="1px",
        checkbox_label_background_fill="#ffffff",
        checkbox_label_background_fill_dark="*neutral_900",
        checkbox_label_background_fill_selected="*primary_600",
        checkbox_label_background_fill_selected_dark="*primary_600",
        checkbox_label_text_color_selected="#ffffff",
        checkbox_label_border_color="*neutral_300",
        checkbox_label_border_color_dark="#3a4249",
        slider_color="*primary_600",
        slider_color_dark="*primary_400",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
    )
