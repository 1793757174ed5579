"""An interactive view of one answer's trace over its sound; the browser's side of it is `ui.viewer`."""
