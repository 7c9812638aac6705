"""What the judge and the sandboxed worker say to each other, and what runs inside the sandbox."""
