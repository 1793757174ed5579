"""The inspector: an interactive view of one answer's trace over the sound it was heard in, and its exports.

`panel` puts it on the page, `payload` is what the browser is sent, `exports` the files to take away. The
browser's side is in `viewer/`: plain scripts, joined in `assets`, the same in the app and in the offline
page. `interventions` is the section "What if" below it, `outcomes` what came of one.
"""

from ui.inspector.panel import SAVE_JS, InspectorPanel, inspector_panel, trace_hidden, trace_shown
from ui.report.export import export
from ui.what_if.panel import what_if_hidden, what_if_shown

__all__ = [
    "SAVE_JS",
    "InspectorPanel",
    "export",
    "inspector_panel",
    "trace_hidden",
    "trace_shown",
    "what_if_hidden",
    "what_if_shown",
]
