"""The class room without a page: who is in it, what a teacher asks, and what each may see."""
