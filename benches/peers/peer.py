#!/usr/bin/env python3
"""One step of a dense net in one framework, timed in this process alone.

    peer.py PEER WORKLOAD [--threads 1] [--seconds 1]

WORKLOAD is an entry of a workloads file, as JSON. Prints the median nanoseconds of a step. Data is
random, in f32, and in the framework's own format before the clock starts.
"""

import argparse
import json
import os
import statistics
import time

import numpy as np

LEARNING_RATE = {"sgd": 0.01, "momentum": 0.01, "adam": 0.001}


def random_net(work):
    """Rows, targets, and a pair of weights [in, out] and biases for each layer."""
    rng = np.random.default_rng(1)
    sizes, batch = work["sizes"], work["batch"]
    rows = rng.standard_normal((batch, sizes[0]), dtype=np.float32)
    targets = rng.integers(0, sizes[-1], batch)
    if work["loss"] == "mse":
        targets = rng.random((batch, sizes[-1]), dtype=np.float32)
    layers = []
    for width, units in zip(sizes, sizes[1:]):
        weights = rng.standard_normal((width, units), dtype=np.float32) * width**-0.5
        layers.append((weights.astype(np.float32), np.zeros(units, np.float32)))
    return rows, targets, layers


def activated(work):
    """Whether each layer has the activation: the last only where the loss brings none."""
    return [True] * (len(work["sizes"]) - 2) + [work["loss"] == "mse"]


def torch(work, threads):
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    activation = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh}[work["act"]]
    sizes, parts = work["sizes"], []
    for width, units, active in zip(sizes, sizes[1:], activated(work)):
        parts += [nn.Linear(width, units)] + [activation()] * active
    net = nn.Sequential(*parts)
    rows, targets = map(torch.from_numpy, random_net(work)[:2])
    if work["kind"] == "infer":
        net.eval()
        return torch.inference_mode()(lambda: net(rows))
    loss = nn.MSELoss() if work["loss"] == "mse" else nn.CrossEntropyLoss()
    rate = LEARNING_RATE[work["optimizer"]]
    momentum = 0.9 if work["optimizer"] == "momentum" else 0
    if work["optimizer"] == "adam":
        optimizer = torch.optim.Adam(net.parameters(), lr=rate, fused=True)
    else:
        optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=momentum, fused=True)

    def step():
        optimizer.zero_grad()
        loss(net(rows), targets).backward()
        optimizer.step()

    return step


def jax(work, threads):
    eigen = str(threads > 1).lower()
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={eigen}"
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import jax.numpy as jnp

    activation = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu, "tanh": jnp.tanh}[work["act"]]
    rows, targets, layers = jax.tree.map(jnp.asarray, random_net(work))

    def forward(layers, x):
        for (weights, biases), active in zip(layers, activated(work)):
            z = x @ weights + biases
            x = activation(z) if active else z
        return x

    if work["kind"] == "infer":
        predict = jax.jit(forward)
        return lambda: predict(layers, rows).block_until_ready()

    def loss(layers, x, t):
        y = forward(layers, x)
        if work["loss"] == "mse":
            return jnp.mean((y - t) ** 2)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(y), t[:, None], axis=1))

    rate = LEARNING_RATE[work["optimizer"]]

    def update(p, g, m, v, n):
        if work["optimizer"] == "sgd":
            return p - rate * g, m, v
        if work["optimizer"] == "momentum":
            m = 0.9 * m + g
            return p - rate * m, m, v
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        root = jnp.sqrt(v / (1 - 0.999**n)) + 1e-8
        return p - rate * (m / (1 - 0.9**n)) / root, m, v

    def train(parts, n, x, t):
        parameters, m, v = parts
        value, gradients = jax.value_and_grad(loss)(parameters, x, t)
        flat, tree = jax.tree.flatten(parameters)
        others = [tree.flatten_up_to(other) for other in (gradients, m, v)]
        new = zip(*(update(p, g, a, b, n) for p, g, a, b in zip(flat, *others)))
        return tuple(tree.unflatten(part) for part in new), n + 1, value

    compiled = jax.jit(train, donate_argnums=(0, 1))
    zeros = [jax.tree.map(jnp.zeros_like, layers) for _ in range(2)]
    state = [(layers, *zeros), jnp.float32(1)]

    def step():
        state[0], state[1], value = compiled(*state, rows, targets)
        value.block_until_ready()

    return step


def onnx_model(work):
    from onnx import TensorProto, helper, numpy_helper

    operator = {"sigmoid": "Sigmoid", "relu": "Relu", "tanh": "Tanh"}[work["act"]]
    rows, _, layers = random_net(work)
    nodes, constants, last = [], [], "x"
    for index, (pair, active) in enumerate(zip(layers, activated(work))):
        names = [f"w{index}", f"b{index}"]
        constants += [numpy_helper.from_array(a, name) for a, name in zip(pair, names)]
        nodes.append(helper.make_node("Gemm", [last, *names], [f"z{index}"]))
        last = f"z{index}"
        if active:
            nodes.append(helper.make_node(operator, [last], [f"h{index}"]))
            last = f"h{index}"
    shapes = [("x", rows.shape), (last, (work["batch"], work["sizes"][-1]))]
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes]
    graph = helper.make_graph(nodes, "net", ports[:1], ports[1:], constants)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    return model.SerializeToString(), rows


def onnxruntime(work, threads):
    import onnxruntime

    model, rows = onnx_model(work)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    y = np.empty((work["batch"], work["sizes"][-1]), np.float32)
    x, y = map(onnxruntime.OrtValue.ortvalue_from_numpy, (rows, y))
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", x)
    binding.bind_ortvalue_output(session.get_outputs()[0].name, y)

    def step(_kept=(x, y)):  # the binding only borrows them
        session.run_with_iobinding(binding)

    return step


def openvino(work, threads):
    import openvino

    model, rows = onnx_model(work)
    core = openvino.Core()
    options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(core.read_model(model), "CPU", options).create_infer_request()
    request.set_input_tensor(openvino.Tensor(rows))  # a copy, which the request keeps
    return request.infer


PEERS = {"torch": torch, "jax": jax, "onnxruntime": onnxruntime, "openvino": openvino}


def median_time(step, seconds):
    """The median nanoseconds of a step, after warming up."""
    warm = time.perf_counter() + 0.3 * seconds
    step()
    while time.perf_counter() < warm:
        step()
    start = time.perf_counter()
    step()
    inner = max(1, int(0.002 / (time.perf_counter() - start)))  # a sample takes some 2 ms
    samples, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 5:
        start = time.perf_counter()
        for _ in range(inner):
            step()
        samples.append((time.perf_counter() - start) / inner * 1e9)
    return statistics.median(samples)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("workload", type=json.loads)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    args = parser.parse_args()
    if args.threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(median_time(PEERS[args.peer](args.workload, args.threads), args.seconds))


if __name__ == "__main__":
    main()
