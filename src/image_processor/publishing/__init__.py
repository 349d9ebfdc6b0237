"""The use cases: publish and withdraw a source, render on demand, deliver. Storage is known by `ports` alone."""
