"""Pages in a real browser: what they load, what they say to assistive technology, how they behave by keyboard."""
