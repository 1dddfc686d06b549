"""What can be traded: verticals with their field schemas, and the regions of the world, all as data."""
