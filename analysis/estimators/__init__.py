"""From sums of two arms to differences, ratios, their intervals and what they need. Pure."""
