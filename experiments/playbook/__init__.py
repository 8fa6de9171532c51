"""What a retention consultant checks each Friday, as functions over one frozen snapshot of facts. Pure."""
