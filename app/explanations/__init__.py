"""What each thing on the page is, for the button that makes the pointer a question mark."""
