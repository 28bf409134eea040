"""From contributions to facts, reasons and what would change them."""
