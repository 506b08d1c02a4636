"""Where a sandbox is looked at and steered, below `/_sandbox/`: a page for people, and JSON for other programs."""
