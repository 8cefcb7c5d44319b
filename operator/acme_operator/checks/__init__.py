"""Judgements: facts → a finding or none, and findings → a verdict. Pure; what to do about it is the controllers' business."""
