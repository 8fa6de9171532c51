"""From orders, spend and assigned entrants to what the ads really added."""
