"""What is gathered about a loss, once, and judged by many rules."""
