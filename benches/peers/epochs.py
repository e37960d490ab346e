#!/usr/bin/env python3
"""Seconds an epoch of models/mnist.net and models/mnist_relu.net beside PyTorch and JAX.

    epochs.py MNIST_DIR [--arenet PATH] [--threads 1,2] [--rounds 3] [--epochs 2]

An epoch shuffles all 60,000 rows of the file, picks each batch, scales its pixels, and trains on
it, in float32. Every run is a process of its own; a round runs all of them in turn, so that a slow
spell of the machine meets them all, and the table holds the medians of all epochs. JAX leaves the
rows after the last whole batch out and compiles in an epoch that does not count. The last column is
the best peer's time over Arenet's. Run it with a Python that has numpy, torch and jax.
"""

import argparse
import gzip
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
BATCH = {"mnist": 32, "mnist_relu": 128}
UNITS = 512
DROPOUT = [0.2, 0.4]


def read(directory, name, offset):
    data = gzip.open(Path(directory) / f"train-{name}-ubyte.gz").read()
    return np.frombuffer(data, np.uint8, offset=offset)


def rows(directory):
    images = read(directory, "images-idx3", 16).reshape(-1, 784).astype(np.float32)
    return images, read(directory, "labels-idx1", 8).astype(np.int64)


def torch(net, directory, threads):
    """A function that trains for an epoch."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    images, labels = map(torch.tensor, rows(directory))
    if net == "mnist":
        model = nn.Sequential(nn.Linear(784, 128), nn.Sigmoid(), nn.Linear(128, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    else:
        layers = []
        for width, share in zip([784, UNITS], DROPOUT):
            layers += [nn.Linear(width, UNITS), nn.BatchNorm1d(UNITS), nn.ReLU(), nn.Dropout(share)]
        model = nn.Sequential(*layers, nn.Linear(UNITS, 10))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.002, fused=True)
    loss = nn.CrossEntropyLoss()

    def epoch():
        for batch in torch.randperm(len(images)).split(BATCH[net]):
            optimizer.zero_grad()
            loss(model(images[batch] / 255), labels[batch]).backward()
            optimizer.step()

    return epoch


def jax(net, directory, threads):
    """A function that trains for an epoch, after a first one."""
    import jax
    import jax.numpy as jnp

    images, labels = rows(directory)
    batch, key, each = BATCH[net], jax.random.PRNGKey(0), jax.tree_util.tree_map
    sizes = [784, 128, 10] if net == "mnist" else [784, UNITS, UNITS, 10]

    def dense(i, width, units):
        bound = (6 / (width + units)) ** 0.5
        part = jax.random.fold_in(key, i)
        w = jax.random.uniform(part, (width, units), minval=-bound, maxval=bound)
        return w, jnp.zeros(units)

    layers = [dense(i, *pair) for i, pair in enumerate(zip(sizes, sizes[1:]))]
    norms = [] if net == "mnist" else [(jnp.ones(UNITS), jnp.zeros(UNITS))] * 2
    running = [(jnp.zeros(UNITS), jnp.ones(UNITS)) for _ in norms]

    def loss(parameters, running, x, t, key):
        layers, norms = parameters
        h, statistics = x / 255, []
        for i, (w, b) in enumerate(layers[:-1]):
            h = h @ w + b
            if net == "mnist":
                h = jax.nn.sigmoid(h)
                continue
            mean, var = h.mean(0), h.var(0)
            new = mean, var * batch / (batch - 1)
            statistics.append(each(lambda old, new: 0.9 * old + 0.1 * new, running[i], new))
            h = jax.nn.relu((h - mean) / jnp.sqrt(var + 1e-5) * norms[i][0] + norms[i][1])
            kept = jax.random.bernoulli(jax.random.fold_in(key, i), 1 - DROPOUT[i], h.shape)
            h = h * kept / (1 - DROPOUT[i])
        y = jax.nn.log_softmax(h @ layers[-1][0] + layers[-1][1])
        return -jnp.take_along_axis(y, t[:, None], 1).mean(), statistics

    def step(state, x, t):
        p, m, v, running, n = state
        g, running = jax.grad(loss, has_aux=True)(p, running, x, t, jax.random.fold_in(key, n))
        if net == "mnist":
            m = each(lambda m, g: 0.9 * m + g, m, g)
            p = each(lambda p, m: p - 0.1 * m, p, m)
        else:
            m = each(lambda m, g: 0.9 * m + 0.1 * g, m, g)
            v = each(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
            rate = 0.002 * jnp.sqrt(1 - 0.999 ** (n + 1.0)) / (1 - 0.9 ** (n + 1.0))
            p = each(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), p, m, v)
        return p, m, v, running, n + 1

    step = jax.jit(step, donate_argnums=0)
    zeros = lambda: each(jnp.zeros_like, (layers, norms))
    state = (each(jnp.array, (layers, norms)), zeros(), zeros(), running, 0)
    rng = np.random.default_rng(0)

    def epoch():
        nonlocal state
        order = rng.permutation(len(images))
        for picked in np.split(order[: len(order) // batch * batch], len(order) // batch):
            state = step(state, images[picked], labels[picked])
        jax.block_until_ready(state)

    epoch()
    return epoch


def peer_times(peer, net, threads, args):
    epoch = {"torch": torch, "jax": jax}[peer](net, args.mnist, threads)
    times = []
    for _ in range(args.epochs):
        start = time.perf_counter()
        epoch()
        times.append(time.perf_counter() - start)
    return times


def arenet_times(net, threads, args):
    ports = [("image", "images-idx3"), ("label", "labels-idx1")]
    data = ",".join(f"{port}={args.mnist}/train-{name}-ubyte.gz" for port, name in ports)
    with tempfile.TemporaryDirectory() as directory:
        command = [args.arenet, "train", ROOT / f"models/{net}.net", "--data", data]
        command += ["--threads", str(threads), "--epochs", str(args.epochs)]
        command += ["--out", f"{directory}/weights"]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
    unit = {"": 1, "k": 1e3, "M": 1e6}
    speeds = re.findall(r"([\d.]+)(k?|M?) rows/s", run.stderr)
    return [60_000 / (float(speed) * unit[prefix]) for speed, prefix in speeds]


def in_a_process(peer, net, threads):
    """Seconds of each epoch, measured by this script in a new process; one thread has one core."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    command = [sys.executable, *sys.argv, "--one", peer, net, str(threads)]
    if threads == 1:
        flags = ["--xla_cpu_multi_thread_eigen=false", "intra_op_parallelism_threads=1"]
        environment["XLA_FLAGS"] = " ".join(flags)
        command = ["taskset", "-c", str(min(os.sched_getaffinity(0))), *command]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def main():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("mnist")
    parser.add_argument("--arenet", default=ROOT / "target/release/arenet")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        peer, net, threads = args.one
        measure = arenet_times if peer == "arenet" else lambda *rest: peer_times(peer, *rest)
        print(json.dumps(measure(net, int(threads), args)))
        return
    peers = ["torch", "jax", "arenet"]
    works = [(net, int(threads)) for net in BATCH for threads in args.threads.split(",")]
    times = {(peer, *work): [] for work in works for peer in peers}
    for _ in range(args.rounds):
        for peer, net, threads in times:
            times[peer, net, threads] += in_a_process(peer, net, threads)
    print("| net | threads | PyTorch | JAX | Arenet | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for net, threads in works:
        *others, ours = [statistics.median(times[peer, net, threads]) for peer in peers]
        cells = " | ".join(f"{seconds:.2f}" for seconds in [*others, ours])
        print(f"| {net} | {threads} | {cells} | {min(others) / ours:.2f} |")


if __name__ == "__main__":
    main()
