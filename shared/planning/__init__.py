"""From extracts to chunks, rejections and counts: `planner.plan`."""
