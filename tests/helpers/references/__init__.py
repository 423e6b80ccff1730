"""The networks of other code bases, written anew from their description, to compare with.

Each is a function that computes the network's output in float64 and asks a `Store` for every tensor
by the name that it has in the checkpoints of that code base. A store draws what it is first asked
for, so that the function also says which tensors a checkpoint holds.
"""
