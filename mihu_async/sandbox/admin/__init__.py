"""The inspector of a sandbox, below `/_sandbox/`: a page for people, and JSON for programs."""
