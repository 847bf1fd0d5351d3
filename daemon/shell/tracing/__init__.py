"""Traces of decisions, from the event to the proof, for OpenTelemetry. Off, and not loaded, unless the settings ask."""
