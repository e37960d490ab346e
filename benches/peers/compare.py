#!/usr/bin/env python3
"""Arenet beside PyTorch, JAX, ONNX Runtime and OpenVINO on the same steps: a table in Markdown.

    compare.py [WORKLOADS.json] [--only NAME,...] [--arenet PATH] [--threads 1] [--rounds 3]

A step is the whole of a training step (forward, backward, update) or, where a workload has the
kind `infer`, the forward pass. Every measurement is a process of its own; a round runs all of them
in turn, so that a slow spell of the machine meets them all, and the table holds the median of the
rounds, in microseconds. The last column is the best peer's time over Arenet's: above 1, Arenet is
faster. Run it with a Python that has numpy, torch, jax, onnx, onnxruntime and openvino; what is
not there, or cannot do the step, is shown as `-`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = {"torch": "PyTorch", "jax": "JAX", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
TRAINS = {"torch", "jax"}
OPTIMIZERS = {
    "sgd": "sgd(lr: 0.01)",
    "momentum": "sgd(lr: 0.01, momentum: 0.9)",
    "adam": "adam(lr: 0.001)",
}


def peer_time(peer, work, args):
    """Nanoseconds of a step, or None."""
    if work["kind"] == "train" and peer not in TRAINS:
        return None
    command = [sys.executable, HERE / "peer.py", peer, json.dumps(work)]
    command += ["--threads", args.threads, "--seconds", args.seconds]
    environment = dict(os.environ, OMP_NUM_THREADS=str(args.threads))
    done = subprocess.run(map(str, command), capture_output=True, text=True, env=environment)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"{work['name']}, {peer}: {reason}", file=sys.stderr)
        return None
    return float(done.stdout.split()[-1])


def net_text(work):
    """The workload as a .net file; the last layer has an activation if the loss brings none."""
    width, *layers = work["sizes"]
    lines = ["net bench {", f"input x: [N, {width}]"]
    for index, units in enumerate(layers, 1):
        last = index == len(layers)
        name = "output y" if last else f"h{index}"
        before = f"h{index - 1}" if index > 1 else "x"
        active = not last or work["loss"] == "mse"
        activation = f" |> {work['act']}" if active else ""
        lines.append(f"{name} = {before} |> dense({units}){activation}")
    target = f"[N, {units}]" if work["loss"] == "mse" else f"i32[N] in 0..{units}"
    lines += ["}", "train {", f"target t: {target}", f"loss = {work['loss']}(y, t)"]
    lines += [f"optimizer = {OPTIMIZERS[work.get('optimizer', 'sgd')]}", "}"]
    return "\n".join(lines)


def arenet_time(work, args):
    """Nanoseconds of a step."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.net"
        path.write_text(net_text(work))
        command = [args.arenet, "bench", path, "--json", "--mode", work["kind"]]
        command += ["--batch", work["batch"], "--threads", args.threads, "--seconds", args.seconds]
        done = subprocess.run(map(str, command), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{work['name']}: {done.stderr}")
    return json.loads(done.stdout)["ns_per_step"]["median"]


def row(work, args):
    """The cells of a workload."""
    rounds = [
        [peer_time(peer, work, args) for peer in PEERS] + [arenet_time(work, args)]
        for _ in range(args.rounds)
    ]
    times = [None if None in column else statistics.median(column) for column in zip(*rounds)]
    peers = [time for time in times[:-1] if time is not None]
    cells = ["-" if time is None else f"{time / 1e3:,.2f}" for time in times]
    return [work["name"], *cells, f"{min(peers) / times[-1]:.2f}" if peers else "-"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="?", default=HERE.parent / "shared" / "workloads.json")
    parser.add_argument("--only", default="", help="names of workloads, with commas")
    parser.add_argument("--arenet", default=ROOT / "target" / "release" / "arenet")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5)
    args = parser.parse_args()
    only = set(filter(None, args.only.split(",")))
    print("| step |", " | ".join([*PEERS.values(), "Arenet", "ratio"]), "|")
    print("| --- |" + " ---: |" * (len(PEERS) + 2))
    for work in json.loads(Path(args.workloads).read_text()):
        if not only or work["name"] in only:
            print("|", " | ".join(row(work, args)), "|", flush=True)


if __name__ == "__main__":
    main()
