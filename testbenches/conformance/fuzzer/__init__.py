"""Random programs on both machines: program.py makes them, run.py carries them out, shrink.py makes
failing ones small."""
