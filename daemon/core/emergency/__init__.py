"""Means beyond a stop: closing, cancelling what adds exposure, corrections, the ladder."""
