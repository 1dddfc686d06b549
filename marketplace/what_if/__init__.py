"""What a period would have brought under other orders, floors, margins or rules, beside what it brought."""
