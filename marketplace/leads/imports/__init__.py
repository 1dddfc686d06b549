"""Files of leads: what a mapping says about their columns, and the import with its report."""
