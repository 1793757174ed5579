"""Speed and memory beside other runtimes."""
