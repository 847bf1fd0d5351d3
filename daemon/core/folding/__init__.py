"""What the venue says, folded into the view: rows, answers, whole pictures, signs of life."""
