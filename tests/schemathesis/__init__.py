"""The control API against its own OpenAPI document, by a program that reads nothing else (`make schemathesis`)."""
