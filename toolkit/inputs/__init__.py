"""A caller's values turned into the exact arrays that kernels trust."""
