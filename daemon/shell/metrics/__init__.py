"""What Prometheus can ask for: counters kept beside the path of decisions, and a page rendered when somebody asks."""
