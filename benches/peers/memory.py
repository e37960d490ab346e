#!/usr/bin/env python3
"""The peak memory of steps in PyTorch and JAX, as a table.

    memory.py [--only NAME] [PEER ...]

Each workload of ../shared/workloads.json runs in a process of its own. After the import, a tiny net
of the same kind is built and stepped, so that neither the framework's libraries nor what they load
when first used count. Then the peak is reset (/proc/self/clear_refs, Linux), the net and one
batch are made, and three steps are run. The growth is the peak (VmHWM) after that above what was
resident (VmRSS) before. One thread, f32. ../memory.rs measures Arenet in the same way.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

WORKLOADS = pathlib.Path(__file__).parent.parent / "shared" / "workloads.json"
PEERS = ["torch", "jax"]
STEPS = 3


def status(key):
    """A size of this process in bytes."""
    with open("/proc/self/status") as lines:
        line = next(line for line in lines if line.startswith(key + ":"))
    return int(line.split()[1]) * 1024


def is_activated(work, layer):
    """The last layer has the activation only where the loss brings none."""
    return layer + 2 < len(work["sizes"]) or work["loss"] == "mse"


def torch_steps(work):
    import torch
    from torch import nn

    torch.set_num_threads(1)
    sizes, batch = work["sizes"], work["batch"]
    activation = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU}[work["act"]]
    parts = []
    for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        parts.append(nn.Linear(inputs, outputs))
        if is_activated(work, layer):
            parts.append(activation())
    net, x = nn.Sequential(*parts), torch.randn(batch, sizes[0])
    if work["kind"] == "infer":
        with torch.inference_mode():
            for _ in range(STEPS):
                y = net(x)
        return
    if work["loss"] == "mse":
        loss, t = nn.MSELoss(), torch.rand(batch, sizes[-1])
    else:
        loss, t = nn.CrossEntropyLoss(), torch.randint(sizes[-1], (batch,))
    momentum = 0.9 if work["optimizer"] == "momentum" else 0
    if work["optimizer"] == "adam":
        optimizer = torch.optim.Adam(net.parameters(), lr=0.001, fused=True)
    else:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=momentum, fused=True)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss(net(x), t).backward()
        optimizer.step()


def jax_steps(work):
    import jax
    import jax.numpy as jnp

    sizes, batch, kind = work["sizes"], work["batch"], work.get("optimizer")
    activation = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu}[work["act"]]
    pairs = list(zip(sizes, sizes[1:]))
    params = [(jnp.full((i, o), i**-0.5), jnp.zeros(o)) for i, o in pairs]
    x = jnp.ones((batch, sizes[0]))

    def forward(params, x):
        for layer, (w, b) in enumerate(params):
            x = x @ w + b
            if is_activated(work, layer):
                x = activation(x)
        return x

    if work["kind"] == "infer":
        predict = jax.jit(forward)
        for _ in range(STEPS):
            predict(params, x).block_until_ready()
        return

    def loss(params, x, t):
        y = forward(params, x)
        if work["loss"] == "mse":
            return jnp.mean((y - t) ** 2)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(y), t[:, None], 1))

    t = jnp.ones((batch, sizes[-1])) if work["loss"] == "mse" else jnp.zeros(batch, jnp.int32)
    # As many lists beside the parameters as the optimizer needs, and no more.
    count = {"sgd": 0, "momentum": 1, "adam": 2}[kind]
    states = [jax.tree.map(jnp.zeros_like, params) for _ in range(count)]

    def update(n, p, g, *states):
        if kind == "sgd":
            return (p - 0.01 * g,)
        if kind == "momentum":
            m = 0.9 * states[0] + g
            return p - 0.01 * m, m
        m, v = 0.9 * states[0] + 0.1 * g, 0.999 * states[1] + 0.001 * g * g
        root = jnp.sqrt(v / (1 - 0.999**n)) + 1e-8
        return p - 0.001 / (1 - 0.9**n) * m / root, m, v

    def train(lists, n, x, t):
        value, grads = jax.value_and_grad(loss)(lists[0], x, t)
        leaves, tree = jax.tree.flatten(lists[0])
        others = [jax.tree.leaves(other) for other in (grads, *lists[1:])]
        updated = [update(n, *values) for values in zip(leaves, *others)]
        return [tree.unflatten(new) for new in zip(*updated)], n + 1, value

    step = jax.jit(train, donate_argnums=(0, 1))
    lists, n = [params, *states], jnp.float32(1)
    del params, states
    for _ in range(STEPS):
        lists, n, value = step(lists, n, x, t)
        value.block_until_ready()


def growth(peer, work):
    """The growth of this process in bytes."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    os.environ["JAX_PLATFORMS"] = "cpu"
    steps = {"torch": torch_steps, "jax": jax_steps}[peer]
    steps(work | {"sizes": [3, 3, 2], "batch": 1})
    before = status("VmRSS")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    steps(work)
    return status("VmHWM") - before


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", help="one workload")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(PEERS)}")
    args = parser.parse_args()
    works = {work["name"]: work for work in json.loads(WORKLOADS.read_text())}
    if args.one:
        print(growth(args.one[0], works[args.one[1]]))
        return
    peers = args.peers or PEERS
    if unknown := [peer for peer in peers if peer not in PEERS]:
        parser.error(f"{unknown[0]}: expected {' or '.join(PEERS)}")
    if args.only and args.only not in works:
        parser.error(f"{args.only}: expected one of {', '.join(works)}")
    print("| step |", " | ".join(peers), "|")
    print("| --- |", " | ".join("---:" for _ in peers), "|")
    for name in [args.only] if args.only else works:
        cells = []
        for peer in peers:
            command = [sys.executable, __file__, "--one", peer, name]
            process = subprocess.run(command, capture_output=True, text=True)
            done = process.returncode == 0
            cells.append(f"{int(process.stdout) / 1024:,.0f} KiB" if done else "failed")
            if not done:
                print(process.stderr, file=sys.stderr)
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
